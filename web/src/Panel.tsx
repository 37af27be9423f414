import { type ReactNode, useEffect, useRef } from 'react';

/**
 * A panel of the sidebar. It scrolls to its top at first, because all panels share one scroll
 * container.
 */
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
