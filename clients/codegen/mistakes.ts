import { CVMS, everyCvm } from './cvms.js';
import { execute, type Gateway } from './gateway.js';

/** Lines that must not compile. tsc fails if one of them does. */
export async function mistakes(gateway: Gateway): Promise<void> {
  for await (const cvm of everyCvm(gateway)) {
    cvm.id satisfies string;
    // @ts-expect-error: null if the upstream omits it
    cvm.name satisfies string;
    // @ts-expect-error: not selected
    cvm.vcpu satisfies unknown;
    cvm.hosted?.events.map(({ timestamp }) => timestamp satisfies number | null | undefined);
  }
  // @ts-expect-error: first is missing
  await execute(gateway, CVMS, {});
  // @ts-expect-error: a cursor is a string
  await execute(gateway, CVMS, { first: 1, after: 1 });
}
