import type { SVGProps } from 'react';

function Icon(props: SVGProps<SVGSVGElement>) {
  return (
    <svg
      viewBox="0 0 20 20"
      width="18"
      height="18"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      {...props}
    />
  );
}

export function EyeIcon() {
  return (
    <Icon>
      <path d="M1.8 10S4.7 4.5 10 4.5 18.2 10 18.2 10 15.3 15.5 10 15.5 1.8 10 1.8 10Z" />
      <circle cx="10" cy="10" r="2.5" />
    </Icon>
  );
}

export function EyeOffIcon() {
  return (
    <Icon>
      <path d="M8 4.7c.6-.1 1.3-.2 2-.2 5.3 0 8.2 5.5 8.2 5.5a13 13 0 0 1-2 2.6M12 15.3c-.6.1-1.3.2-2 .2C4.7 15.5 1.8 10 1.8 10a13 13 0 0 1 3-3.5M3 3l14 14" />
    </Icon>
  );
}
