import { CVMS, everyCvm } from './cvms.js';
import { execute, type Gateway } from './gateway.js';

/** Each line that must not compile; tsc fails where one does. */
export async function mistakes(gateway: Gateway): Promise<void> {
  for await (const cvm of everyCvm(gateway)) {
    cvm.id satisfies string;
    // @ts-expect-error: null when the upstream does not say
    cvm.name satisfies string;
    // @ts-expect-error: not selected
    cvm.vcpu satisfies unknown;
    cvm.hosted?.events.map(({ timestamp }) => timestamp satisfies number | null | undefined);
  }
  // @ts-expect-error: first is missing
  await execute(gateway, CVMS, {});
  // @ts-expect-error: a cursor is text
  await execute(gateway, CVMS, { first: 1, after: 1 });
}
