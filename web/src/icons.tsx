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

/** Two checkboxes. */
export function FieldsIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props}>
      <rect x="2" y="2.5" width="6" height="6" rx="1.5" />
      <path d="m3.6 5.6 1.2 1.2 2-2.4M11.5 5.5h6.5M11.5 14.5h6.5" />
      <rect x="2" y="11.5" width="6" height="6" rx="1.5" />
    </Icon>
  );
}

/** A lamp. The open book is the icon of the documentation. */
export function ExamplesIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props}>
      <path d="M10 1.8a5.6 5.6 0 0 0-3.4 10.1c.7.6 1.1 1.2 1.2 2.1h4.4c.1-.9.5-1.5 1.2-2.1A5.6 5.6 0 0 0 10 1.8ZM7.8 14v2.2c0 1.2 1 2 2.2 2s2.2-.8 2.2-2V14" />
    </Icon>
  );
}

/** A prompt. */
export function TerminalIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props}>
      <rect x="1.8" y="3.2" width="16.4" height="13.6" rx="2" />
      <path d="m5 7.5 2.7 2.5L5 12.5M9.8 13h4.7" />
    </Icon>
  );
}

/** Two links of a chain. */
export function LinkIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props}>
      <path d="M8.2 11.8a3.6 3.6 0 0 0 5.1 0l3-3a3.6 3.6 0 0 0-5.1-5.1L9.9 5M11.8 8.2a3.6 3.6 0 0 0-5.1 0l-3 3a3.6 3.6 0 0 0 5.1 5.1l1.3-1.3" />
    </Icon>
  );
}
