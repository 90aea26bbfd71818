import type { DeliveryActivities } from '../workflows/contract/deliveries.ts';
import type { FanOutActivities } from '../workflows/contract/fan-out.ts';
import type { AdminStatsActivities, MonthActivities } from '../workflows/contract/month.ts';
import type { ComparisonActivities, PaymentActivities } from '../workflows/contract/payments.ts';
import type { ReconcileActivities } from '../workflows/contract/reconcile.ts';
import type { ReportActivities } from '../workflows/contract/reports.ts';
import type { RedriveActivities } from '../workflows/contract/redrive.ts';
import type { ResendActivities } from '../workflows/contract/resend.ts';
import type { TopUpActivities } from '../workflows/contract/top-ups.ts';
import type { TurnActivities } from '../workflows/contract/turn.ts';
import { createRefreshAdminStats } from './admin-stats.ts';
import { createDeliverySteps } from './channels/delivery-steps.ts';
import { createResendSteps } from './channels/resend-steps.ts';
import type { ActivityDeps } from './deps.ts';
import { createGenerate } from './generate.ts';
import { guard } from './guard.ts';
import { createMonthSteps } from './month-steps.ts';
import { createComparePayments } from './payments/compare-payments.ts';
import { createPaymentSteps } from './payments/payment-steps.ts';
import { createReconcileTurns } from './reconcile-turns.ts';
import { createRedriveSteps } from './redrive-steps.ts';
import { createCloseMonth } from './schedules/close-month.ts';
import { createFanOutSteps } from './schedules/fan-out-steps.ts';
import { createRepairSchedules } from './schedules/repair-steps.ts';
import { createReportSteps } from './reports/report-steps.ts';
import { createTurnSteps } from './turn-steps.ts';

export type Activities = TurnActivities &
  MonthActivities &
  ReconcileActivities &
  AdminStatsActivities &
  RedriveActivities &
  PaymentActivities &
  TopUpActivities &
  DeliveryActivities &
  ComparisonActivities &
  FanOutActivities &
  ReportActivities &
  ResendActivities;

/** Each activity is safe to run twice. Their errors are typed and carry no chat text. */
export function createActivities(deps: ActivityDeps): Activities {
  const { reserveTurn, settleTurn, releaseTurn } = createTurnSteps(deps);
  const { advanceRedrive, moveRedrive } = createRedriveSteps(deps);
  const { armSchedules, resetAllowance, checkUsage } = createMonthSteps(deps);
  const { lookAtPurchase, sendRefund, topUp } = createPaymentSteps(deps);
  const { sendDelivery } = createDeliverySteps(deps);
  const { makeReport, forecastUsage, makeOperatorReport } = createReportSteps(deps);
  const closeMonth = createCloseMonth(deps, { resetAllowance, makeReport });
  const { advanceResend } = createResendSteps(deps);
  return {
    reserveTurn: guard(deps.log, 'reserveTurn', reserveTurn),
    generate: guard(deps.log, 'generate', createGenerate(deps)),
    settleTurn: guard(deps.log, 'settleTurn', settleTurn),
    releaseTurn: guard(deps.log, 'releaseTurn', releaseTurn),
    armSchedules: guard(deps.log, 'armSchedules', armSchedules),
    resetAllowance: guard(deps.log, 'resetAllowance', resetAllowance),
    checkUsage: guard(deps.log, 'checkUsage', checkUsage),
    fireDue: guard(deps.log, 'fireDue', createFanOutSteps(deps, { closeMonth, checkUsage }).fireDue),
    repairSchedules: guard(deps.log, 'repairSchedules', createRepairSchedules(deps, closeMonth)),
    reconcileTurns: guard(deps.log, 'reconcileTurns', createReconcileTurns(deps)),
    advanceRedrive: guard(deps.log, 'advanceRedrive', advanceRedrive),
    moveRedrive: guard(deps.log, 'moveRedrive', moveRedrive),
    lookAtPurchase: guard(deps.log, 'lookAtPurchase', lookAtPurchase),
    sendRefund: guard(deps.log, 'sendRefund', sendRefund),
    makeReport: guard(deps.log, 'makeReport', makeReport),
    forecastUsage: guard(deps.log, 'forecastUsage', forecastUsage),
    makeOperatorReport: guard(deps.log, 'makeOperatorReport', makeOperatorReport),
    topUp: guard(deps.log, 'topUp', topUp),
    sendDelivery: guard(deps.log, 'sendDelivery', sendDelivery),
    advanceResend: guard(deps.log, 'advanceResend', advanceResend),
    comparePayments: guard(deps.log, 'comparePayments', createComparePayments(deps)),
    refreshAdminStats: guard(deps.log, 'refreshAdminStats', createRefreshAdminStats(deps)),
  };
}
