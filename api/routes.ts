import type { ApiDeps } from './context.ts';
import type { OverloadGate } from './http/overload.ts';
import type { Route } from './http/route.ts';
import { accountRoutes } from './routes/account.ts';
import { adminModelRoutes } from './routes/admin-models.ts';
import { adminPurchaseRoutes } from './routes/admin-purchases.ts';
import { adminReportRoutes } from './routes/admin-reports.ts';
import { adminTurnRoutes } from './routes/admin-turns.ts';
import { adminUsageRoutes } from './routes/admin-usage.ts';
import { adminUserRoutes } from './routes/admin-users.ts';
import { auditRoutes } from './routes/audit.ts';
import { chatRoutes } from './routes/chat.ts';
import { conversationRoutes } from './routes/conversations.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { eventRoutes } from './routes/events.ts';
import { estimateRoutes } from './routes/estimates.ts';
import { exportRoutes } from './routes/exports.ts';
import { feedbackRoutes } from './routes/feedback.ts';
import { fileRoutes } from './routes/files.ts';
import { grantRoutes } from './routes/grants.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { instructionRoutes } from './routes/instructions.ts';
import { keyRoutes } from './routes/keys.ts';
import { mailLinkRoutes } from './routes/mail-links.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { notificationRoutes } from './routes/notifications.ts';
import { openaiRoutes } from './routes/openai.ts';
import { paymentWebhookRoutes } from './routes/payment-webhooks.ts';
import { peopleRoutes } from './routes/people.ts';
import { preferenceRoutes } from './routes/preferences.ts';
import { purchaseRoutes } from './routes/purchases.ts';
import { codecRoutes } from './routes/codec.ts';
import { codeRoutes } from './routes/codes.ts';
import { reportRoutes } from './routes/reports.ts';
import { redriveRoutes } from './routes/redrives.ts';
import { salesRoutes } from './routes/sales.ts';
import { sharingRoutes } from './routes/sharing.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { tokenStatsRoutes } from './routes/token-stats.ts';
import { topUpRoutes } from './routes/top-ups.ts';
import { webhookEndpointRoutes } from './routes/webhook-endpoints.ts';

/** Calls of the machines that watch this service. They are not traced. */
export function watchRoutes(deps: ApiDeps): Route[] {
  return [...healthRoutes(deps), ...metricsRoutes(deps)];
}

/** All other calls. Making them uses nothing of `deps`, so that they can be described without a service. */
export function routesOf(deps: ApiDeps, gate: OverloadGate): Route[] {
  return [
    ...signInRoutes(deps),
    ...chatRoutes(deps, gate),
    ...estimateRoutes(deps),
    ...fileRoutes(deps),
    ...openaiRoutes(deps, gate),
    ...conversationRoutes(deps),
    ...sharingRoutes(deps),
    ...exportRoutes(deps),
    ...feedbackRoutes(deps),
    ...accountRoutes(deps),
    ...instructionRoutes(deps),
    ...keyRoutes(deps),
    ...historyRoutes(deps),
    ...reportRoutes(deps),
    ...notificationRoutes(deps),
    ...preferenceRoutes(deps),
    ...mailLinkRoutes(deps),
    ...webhookEndpointRoutes(deps),
    ...eventRoutes(deps),
    ...auditRoutes(deps),
    ...grantRoutes(deps),
    ...adminUsageRoutes(deps),
    ...tokenStatsRoutes(deps),
    ...adminReportRoutes(deps),
    ...adminModelRoutes(deps),
    ...adminTurnRoutes(deps),
    ...adminUserRoutes(deps),
    ...peopleRoutes(deps),
    ...deliveryRoutes(deps),
    ...redriveRoutes(deps),
    ...codecRoutes(deps),
    ...adminPurchaseRoutes(deps),
    ...salesRoutes(deps),
    ...purchaseRoutes(deps),
    ...topUpRoutes(deps),
    ...codeRoutes(deps),
    ...paymentWebhookRoutes(deps),
  ];
}
