// The parts of GraphiQL's style sheet. The bundled style.css contains fonts as data: URLs, and
// Monaco's styles twice.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './fonts.css';
import './page.css';
