import { type Fetcher, formatResult } from '@graphiql/toolkit';
import { useSyncExternalStore } from 'react';
import { type Credential, flawOf, type Kind, recognize } from './credential';
import { createFetcher, type Exchange, type Result } from './fetcher';
import { type Known, learn } from './known';
import type { Settings } from './settings';
import { readRemarks, readUpstream, type Upstream } from './upstream';

/** A problem with the last request, for the user. */
export interface Problem {
  readonly about: 'credential' | 'gateway';
  readonly title: string;
  readonly text: string;
}

/**
 * The calls of the last response, or why there are none: there was no response ('none'), the
 * request did not ask for them ('unasked'), or the response does not have them ('untold').
 */
export type Explained = Upstream | 'none' | 'unasked' | 'untold';

/** The state of the page, in addition to GraphiQL's state. */
export interface State {
  readonly credential: Credential;
  /** The reason why the credential cannot be sent, or null. */
  readonly flaw: string | null;
  readonly problem: Problem | null;
  /** The gateway responds, but introspection is disabled. */
  readonly hidesSchema: boolean;
  /** Whether requests have the header that adds their upstream calls to the response. */
  readonly explains: boolean;
  readonly explained: Explained;
  /** Sentences about the last response: how the list changed, or how old the data is. */
  readonly remarks: readonly string[];
  /** Whether the result pane shows whole responses, with their extensions. */
  readonly raw: boolean;
  /** A message about the last thing that was copied, or null. */
  readonly notice: string | null;
  readonly known: Known;
}

const mostForms = 40; // of responses, whose other form is known

/**
 * The state of one visit to the page: the credential and the results of requests. It is in memory
 * only; a reload starts a new session.
 */
export class Session {
  readonly fetcher: Fetcher;
  #state: State = {
    credential: { kind: 'apiKey', secret: '', workspace: '' },
    flaw: null,
    problem: null,
    hidesSchema: false,
    explains: false,
    explained: 'none',
    remarks: [],
    raw: false,
    notice: null,
    known: {},
  };
  #kindChosen = false; // by the user, for the current secret
  readonly #forms = new Map<string, string>(); // from a response without extensions to the whole one, and back
  readonly #listeners = new Set<() => void>();

  constructor(settings: Settings, explains: boolean) {
    this.#state = { ...this.#state, explains };
    this.fetcher = createFetcher({
      endpoint: settings.endpoint,
      credential: () => this.#state.credential,
      explain: () => this.#state.explains,
      shown: (result) => this.#shown(result),
      onExchange: (exchange) => this.#judge(exchange),
    });
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly state = () => this.#state;

  /** Sets the typed or pasted secret. It also sets the kind unless the user has chosen one. */
  type(text: string) {
    const { secret, kind } = recognize(text);
    this.#kindChosen &&= secret !== '';
    const { credential } = this.#state;
    this.#use({ ...credential, secret, kind: (!this.#kindChosen && kind) || credential.kind });
  }

  /** Sets the kind that the user chose. It applies until the field is empty. */
  choose(kind: Kind) {
    const { credential } = this.#state;
    this.#kindChosen = credential.secret !== '';
    this.#use({ ...credential, kind });
  }

  /** Sets the workspace, as its slug or id or as its header. */
  enter(workspace: string) {
    this.#use({ ...this.#state.credential, workspace: workspace.trim().replace(/^x-phala-workspace:\s*/i, '') });
  }

  /** Shows a message until the next request. */
  tell(notice: string) {
    this.#set({ notice });
  }

  /** Sets whether the result pane shows whole responses. */
  showRaw(raw: boolean) {
    this.#set({ raw });
  }

  /** Returns the other form of a shown response, with or without its extensions, if it is known. */
  otherForm(response: string): string | undefined {
    return this.#forms.get(response);
  }

  /** Sets whether requests ask for their upstream calls. */
  explain(explains: boolean) {
    this.#set({ explains });
  }

  #use(credential: Credential) {
    // The last problem and the known values belong to the previous credential.
    const [secretFlaw, workspaceFlaw] = [flawOf(credential.secret), flawOf(credential.workspace)];
    const flaw = secretFlaw !== null ? `The credential ${secretFlaw}` : workspaceFlaw && `The workspace ${workspaceFlaw}`;
    this.#set({ credential, flaw, problem: null, notice: null, known: {} });
  }

  /** Extensions are in the panel with the calls, and in the raw response. */
  #shown(result: Result): Result {
    if (result.extensions === undefined) {
      return result;
    }
    const { extensions: _, ...rest } = result;
    const [bare, whole] = [formatResult(rest), formatResult(result)];
    for (const [from, to] of [
      [bare, whole],
      [whole, bare],
    ] as const) {
      this.#forms.delete(from);
      this.#forms.set(from, to);
    }
    for (const oldest of [...this.#forms.keys()].slice(0, -mostForms)) {
      this.#forms.delete(oldest);
    }
    return this.#state.raw ? result : rest;
  }

  #judge(exchange: Exchange) {
    const { introspection, credential, result, failure } = exchange;
    if (!introspection) {
      this.#note(exchange);
    }
    if (failure !== null) {
      this.#set({ problem: { about: 'gateway', title: 'No response.', text: failure } });
      return;
    }
    const { problem } = this.#state;
    const remaining = problem?.about === 'credential' ? problem : null;
    if (introspection) {
      this.#set({ problem: remaining, hidesSchema: !result.data?.__schema });
    } else {
      this.#set({ problem: credential === this.#state.credential ? rejectionOf(credential, result) : remaining });
    }
  }

  #note({ query, credential, explained, result }: Exchange) {
    const unexplained = explained ? 'untold' : 'unasked';
    this.#set({
      explained: readUpstream(result.extensions) ?? unexplained,
      remarks: readRemarks(result.extensions),
      notice: null,
      known: credential === this.#state.credential ? learn(this.#state.known, query, result) : this.#state.known,
    });
  }

  #set(change: Partial<State>) {
    this.#state = { ...this.#state, ...change };
    this.#listeners.forEach((listener) => listener());
  }
}

/** Returns the session's state and rerenders when it changes. */
export function useSession(session: Session): State {
  return useSyncExternalStore(session.subscribe, session.state);
}

function rejectionOf(credential: Credential, result: Result): Problem | null {
  const rejection = result.errors?.find((error) => error.extensions?.code === 'UNAUTHENTICATED');
  if (!rejection) {
    return null;
  }
  return credential.secret === ''
    ? { about: 'credential', title: 'A credential is needed.', text: 'Enter it here.' }
    : { about: 'credential', title: 'Not accepted.', text: sentence(rejection.message) };
}

function sentence(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1) + (/[.!?]$/.test(message) ? '' : '.');
}
