import { z } from 'zod';
import { RATINGS } from '../../domain/feedback.ts';
import { instant, uuid } from './fields.ts';

const rating = z.enum(RATINGS).nullable().meta({ description: 'null takes it back' });

export const feedbackBody = z.strictObject({ rating }).meta({ id: 'GiveFeedback' });
export const feedback = z.object({ turnId: uuid, rating }).meta({ id: 'Feedback' });

export const feedbackQuery = z.strictObject({
  from: instant.optional().meta({ description: 'Rated then or later' }),
  to: instant.optional().meta({ description: 'Rated before' }),
});
export const feedbackCounts = z
  .object({ items: z.array(z.object({ model: z.string(), good: z.int().min(0), bad: z.int().min(0) })) })
  .meta({ id: 'FeedbackCounts' });
