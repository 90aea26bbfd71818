import { z } from 'zod';

export const signInOptions = z.object({
  demo: z.boolean().meta({ description: 'POST /api/auth/demo gives the demo users’ keys: the embedded stack, asked by the machine it runs on' }),
}).meta({ id: 'SignInOptions' });

export const demoBody = z.strictObject({ as: z.enum(['user', 'admin']) }).meta({ id: 'DemoSignIn' });

export const session = z.object({ token: z.string().meta({ description: 'Goes into `Authorization: Bearer …`' }) }).meta({ id: 'Session' });
