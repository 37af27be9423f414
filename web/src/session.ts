import type { Fetcher } from '@graphiql/toolkit';
import { useSyncExternalStore } from 'react';
import { type Credential, flawOf, type Kind, recognise } from './credential';
import { type Answer, createFetcher, type Exchange } from './fetcher';
import { type Known, learn } from './known';
import type { Settings } from './settings';
import { readUpstream, type Upstream } from './upstream';

/** What is wrong with the last answer, for the person at the page. */
export interface Problem {
  readonly about: 'credential' | 'gateway';
  readonly title: string;
  readonly text: string;
}

/**
 * The calls of the last answer, or why there are none to show: there was no answer, it was not asked for them, or it did
 * not tell.
 */
export type Explained = Upstream | 'none' | 'unasked' | 'untold';

/** What the page shows beside GraphiQL's own state. */
export interface State {
  readonly credential: Credential;
  /** The credential cannot be sent, for this reason. */
  readonly flaw: string | null;
  readonly problem: Problem | null;
  /** The gateway answers, but does not tell its schema. */
  readonly hidesSchema: boolean;
  /** Answers are asked to tell their calls. */
  readonly explains: boolean;
  readonly explained: Explained;
  readonly known: Known;
}

/**
 * One visit to the page: the credential in use, and what came of the requests. In memory only; a reload starts a new
 * one.
 */
export class Session {
  readonly fetcher: Fetcher;
  #state: State = {
    credential: { kind: 'apiKey', secret: '' },
    flaw: null,
    problem: null,
    hidesSchema: false,
    explains: false,
    explained: 'none',
    known: {},
  };
  #kindChosen = false; // by hand, for the secret that is in the field
  readonly #listeners = new Set<() => void>();

  constructor(settings: Settings, explains: boolean) {
    this.#state = { ...this.#state, explains };
    this.fetcher = createFetcher({
      endpoint: settings.endpoint,
      credential: () => this.#state.credential,
      explain: () => this.#state.explains,
      onExchange: (exchange) => this.#judge(exchange),
    });
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly state = () => this.#state;

  /** Takes what was typed or pasted, and presets the kind from it unless the user has chosen one. */
  type(text: string) {
    const { secret, kind } = recognise(text);
    this.#kindChosen &&= secret !== '';
    this.#use({ secret, kind: (!this.#kindChosen && kind) || this.#state.credential.kind });
  }

  /** Takes the user's choice of the kind, which stands until the field is empty. */
  choose(kind: Kind) {
    const { secret } = this.#state.credential;
    this.#kindChosen = secret !== '';
    this.#use({ secret, kind });
  }

  /** Asks the next answers to tell their calls, or not. */
  explain(explains: boolean) {
    this.#set({ explains });
  }

  #use(credential: Credential) {
    // What was said of the last answer was said of another credential, which may see another list.
    this.#set({ credential, flaw: flawOf(credential.secret), problem: null, known: {} });
  }

  #judge(exchange: Exchange) {
    const { introspection, credential, answer, failure } = exchange;
    if (!introspection) {
      this.#note(exchange);
    }
    if (failure !== null) {
      this.#set({ problem: { about: 'gateway', title: 'No answer.', text: failure } });
      return;
    }
    const { problem } = this.#state;
    const standing = problem?.about === 'credential' ? problem : null;
    if (introspection) {
      this.#set({ problem: standing, hidesSchema: !answer.data?.__schema });
    } else {
      this.#set({ problem: credential === this.#state.credential ? refusalOf(credential, answer) : standing });
    }
  }

  #note({ query, credential, explained, answer }: Exchange) {
    const unexplained = explained ? 'untold' : 'unasked';
    this.#set({
      explained: readUpstream(answer.extensions) ?? unexplained,
      known: credential === this.#state.credential ? learn(this.#state.known, query, answer) : this.#state.known,
    });
  }

  #set(change: Partial<State>) {
    this.#state = { ...this.#state, ...change };
    this.#listeners.forEach((listener) => listener());
  }
}

/** The session's state, followed. */
export function useSession(session: Session): State {
  return useSyncExternalStore(session.subscribe, session.state);
}

function refusalOf(credential: Credential, answer: Answer): Problem | null {
  const refusal = answer.errors?.find((error) => error.extensions?.code === 'UNAUTHENTICATED');
  if (!refusal) {
    return null;
  }
  return credential.secret === ''
    ? { about: 'credential', title: 'A credential is needed.', text: 'Enter it here.' }
    : { about: 'credential', title: 'Not accepted.', text: sentence(refusal.message) };
}

function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? '' : '.');
}
