import { askEarly } from './session/early.ts';
import { takeDemoSecret } from './session/demo.ts';
import './styles.css';

takeDemoSecret();
askEarly();
void import('./main.tsx')
  .then(({ open }) => open())
  .catch((error: unknown) => {
    const unopened = document.querySelector<HTMLTemplateElement>('#unopened');
    if (unopened !== null) document.getElementById('root')?.append(unopened.content);
    document.querySelector('#root button')?.addEventListener('click', () => location.reload());
    throw error;
  });
