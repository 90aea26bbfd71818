import { askEarly } from './session/early.ts';
import { takeDemoSecret } from './session/demo.ts';
import './styles.css';

takeDemoSecret();
// A shared copy and an invitation are pages of their own, which know no session.
const isShared = location.pathname.startsWith('/s/');
const isInvitation = location.pathname === '/invite';
if (!isShared && !isInvitation) askEarly();
void (isShared ? import('./shared/open.ts') : isInvitation ? import('./invitation/open.ts') : import('./main.tsx'))
  .then(({ open }) => open())
  .catch((error: unknown) => {
    const unopened = document.querySelector<HTMLTemplateElement>('#unopened');
    if (unopened !== null) document.getElementById('root')?.append(unopened.content);
    document.querySelector('#root button')?.addEventListener('click', () => location.reload());
    throw error;
  });
