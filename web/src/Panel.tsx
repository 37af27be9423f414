import { type ReactNode, useEffect, useRef } from 'react';

/** What a panel of the sidebar shows, from its top: the panels share what scrolls. */
export function Panel({ title, children }: { title: string; children: ReactNode }) {
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    section.current?.parentElement?.scrollTo(0, 0);
  }, []);
  return (
    <section ref={section} className="page-panel" aria-label={title}>
      <h2 className="page-panel-title">{title}</h2>
      {children}
    </section>
  );
}
