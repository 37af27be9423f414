import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';

const none = () => null; // no key: the object is stored as part of its CVM

/**
 * A list that is loaded from its beginning replaces the pages that were cached before. Otherwise
 * relayPagination would merge it with them, and removed CVMs would stay in the list.
 */
function dropOtherPages(_result, { after, before, last, ...args }, cache) {
  if (after || before || last) return;
  for (const { fieldName, fieldKey, arguments: others } of cache.inspectFields('Query')) {
    const isSameList = others?.nodeId === args.nodeId && others?.userId === args.userId;
    if (fieldName === 'cvms' && isSameList && (others?.first !== args.first || others.after || others.before || others.last)) {
      cache.invalidate('Query', fieldKey);
    }
  }
}

/** Returns a client for the gateway at url. headers contains the credential. */
export const createClient = ({ url, headers }) =>
  new Client({
    url,
    exchanges: [
      cacheExchange({
        resolvers: { Query: { cvms: relayPagination() } },
        updates: { Query: { cvms: dropOtherPages } },
        keys: { HostedVm: none, ManagedUser: none, CvmNode: none, KmsInfo: none, PublicUrl: none },
      }),
      persistedExchange(),
      fetchExchange,
    ],
    fetchOptions: { headers },
  });
