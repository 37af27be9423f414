import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';

const none = () => null; // no key: the object is stored as part of its CVM

/** Returns a client for the gateway at url. headers contains the credential. */
export const createClient = ({ url, headers }) =>
  new Client({
    url,
    exchanges: [
      cacheExchange({
        resolvers: { Query: { cvms: relayPagination() } },
        keys: { HostedVm: none, ManagedUser: none, CvmNode: none, KmsInfo: none, PublicUrl: none },
      }),
      persistedExchange(),
      fetchExchange,
    ],
    fetchOptions: { headers },
  });
