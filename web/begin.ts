import { askEarly } from './session/early.ts';
import { takeDemoSecret } from './session/demo.ts';
import './styles.css';

takeDemoSecret();
// A shared copy is a page of its own, which knows no session.
const isShared = location.pathname.startsWith('/s/');
if (!isShared) askEarly();
void (isShared ? import('./shared/open.ts') : import('./main.tsx'))
  .then(({ open }) => open())
  .catch((error: unknown) => {
    const unopened = document.querySelector<HTMLTemplateElement>('#unopened');
    if (unopened !== null) document.getElementById('root')?.append(unopened.content);
    document.querySelector('#root button')?.addEventListener('click', () => location.reload());
    throw error;
  });
