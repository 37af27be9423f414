// GraphiQL's parts one by one: its bundled style.css holds the fonts as data: addresses, and Monaco's styles twice.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './fonts.css';
import './page.css';
