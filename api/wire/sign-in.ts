import { z } from 'zod';

export const signInOptions = z
  .object({
    demo: z.boolean().meta({
      description:
        'POST /api/auth/demo gives the demo users’ keys to who has the secret of this start: the embedded stack',
    }),
    provider: z
      .object({
        issuer: z
          .string()
          .meta({ description: 'Its discovery document stands below it', example: 'https://accounts.example.com' }),
        clientId: z.string().meta({ description: 'Of the web app, a public client: authorization code with PKCE' }),
        scopes: z.string(),
        params: z
          .record(z.string(), z.string())
          .meta({ description: 'What this provider wants to be sent beside the standard parameters' }),
      })
      .nullable()
      .meta({
        description: 'The OIDC provider whose access tokens this API takes; null: none, or none for the web app',
      }),
  })
  .meta({ id: 'SignInOptions' });

export const demoBody = z
  .strictObject({
    as: z.enum(['user', 'admin'], 'must be user or admin'),
    secret: z
      .string()
      .max(100)
      .optional()
      .meta({ description: 'From the address that `npm start` printed, after `#demo=`; 404 without it' }),
  })
  .meta({ id: 'DemoSignIn' });

export const session = z
  .object({ token: z.string().meta({ description: 'Goes into `Authorization: Bearer …`' }) })
  .meta({ id: 'Session' });
