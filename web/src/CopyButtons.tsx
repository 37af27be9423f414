import { pick, ToolbarButton, useGraphiQL } from '@graphiql/react';
import { parse } from 'jsonc-parser';
import { copyText } from './copyText';
import { flawOf } from './credential';
import { curlCommand, shellVariables } from './curl';
import { LinkIcon, TerminalIcon } from './icons';
import { linkTo } from './link';
import type { Session } from './session';

/** Buttons that copy the operation as a curl command and as a link. Neither has the credential. */
export function CopyButtons({ session, endpoint }: { session: Session; endpoint: string }) {
  const { operationName, queryEditor, variableEditor } = useGraphiQL(
    pick('operationName', 'queryEditor', 'variableEditor'),
  );
  const copy = (make: (query: string, variables: unknown) => { text: string | null; says: string }) => async () => {
    const query = queryEditor?.getValue() ?? '';
    const variables: unknown = parse(variableEditor?.getValue() ?? '');
    const { secret } = session.state().credential;
    if (secret !== '' && (query + JSON.stringify(variables ?? null)).includes(secret)) {
      session.tell('Not copied: the query or its variables contain the credential.');
      return;
    }
    const { text, says } = make(query, variables);
    const copied = text !== null && (await copyText(text));
    session.tell(text === null || copied ? says : 'Not copied: the browser does not allow it.');
  };
  const copyCurl = copy((query, variables) => {
    const { kind, secret, workspace } = session.state().credential;
    const sent = secret === '' ? null : kind;
    const body = { query, variables, operationName: operationName ?? undefined };
    return {
      text: curlCommand({
        url: new URL(endpoint, window.location.href).href,
        kind: sent,
        workspace: flawOf(workspace) === null ? workspace : '',
        body,
      }),
      says: sent ? `Copied. Set ${shellVariables[sent]} in the shell that runs it.` : 'Copied as a curl command.',
    };
  });
  const copyLink = copy((query, variables) => {
    const text = linkTo(query, variables);
    return { text, says: text === null ? 'Not copied: the query is too long for a link.' : 'Copied a link.' };
  });
  return (
    <>
      <ToolbarButton label="Copy as curl" onClick={() => void copyCurl()}>
        <TerminalIcon className="graphiql-toolbar-icon" />
      </ToolbarButton>
      <ToolbarButton label="Copy a link to this query" onClick={() => void copyLink()}>
        <LinkIcon className="graphiql-toolbar-icon" />
      </ToolbarButton>
    </>
  );
}
