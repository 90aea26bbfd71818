import { askEarly } from './session/early.ts';
import './styles.css';

askEarly();
void import('./main.tsx').then(({ open }) => open());
