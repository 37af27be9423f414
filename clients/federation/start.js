// Starts a router at localhost:4000 with the gateway at GATEWAY_URL and a service that counts
// alerts, until it is stopped. An argument selects another router. docs/federation.md runs it.

import { composeServices } from '@apollo/composition';
import { endpoint, subgraph } from './test/support/gateway.js';
import { routers } from './test/support/routers.js';
import { alerts, started } from './test/support/subgraphs.js';

const [router = '@apollo/gateway'] = process.argv.slice(2);
const untilStopped = { after() {} };

const service = await started(untilStopped, alerts);
const { supergraphSdl, errors } = composeServices([await subgraph(), service]);
if (errors) throw new AggregateError(errors, errors.map(({ message }) => message).join('\n'));
const url = await routers[router](untilStopped, supergraphSdl, 4000);
process.stdout.write(`${router} joins ${endpoint} and ${service.url} at ${url}\n`);
