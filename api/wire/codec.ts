import { z } from 'zod';

const base64 = z.base64().meta({ description: 'Bytes in base64' });

/** A payload in the JSON form of Temporal's protocol. */
const payload = z.object({
  metadata: z.record(z.string().max(100), base64).default({}).meta({ description: '`encoding`, and what it needs' }),
  data: base64.default(''),
});

export const payloads = z.object({ payloads: z.array(payload).max(20_000) });
