import type { StorageAPI } from '@graphiql/toolkit';

type Storage = NonNullable<ConstructorParameters<typeof StorageAPI>[0]>;

/**
 * Returns the storage for GraphiQL's tabs, history and theme. It is the browser's localStorage,
 * with prefixed keys, because the GraphiQL of other tools can have the same origin, such as
 * http://localhost:8080. If the browser blocks storage, it is memory.
 */
export function createStorage(prefix: string): Storage {
  const store = browserStorage() ?? memoryStorage();
  const ours = () => store.keys().filter((key) => key.startsWith(prefix));
  return {
    getItem: (key) => store.get(prefix + key),
    setItem: (key, value) => store.set(prefix + key, value),
    removeItem: (key) => store.remove(prefix + key),
    clear: () => ours().forEach((key) => store.remove(key)),
    get length() {
      return ours().length;
    },
  };
}

interface Store {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}

function browserStorage(): Store | null {
  try {
    const { localStorage } = window; // throws if site data is blocked
    return {
      get: (key) => localStorage.getItem(key),
      set: (key, value) => localStorage.setItem(key, value),
      remove: (key) => localStorage.removeItem(key),
      keys: () => Object.keys(localStorage),
    };
  } catch {
    return null;
  }
}

function memoryStorage(): Store {
  const values = new Map<string, string>();
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    remove: (key) => void values.delete(key),
    keys: () => [...values.keys()],
  };
}
