import './workers';
import './styles';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { readSettings } from './settings';

const root = document.getElementById('root');
if (!root) {
  throw new Error('the page has no #root');
}
createRoot(root).render(<App settings={readSettings(document)} />);
