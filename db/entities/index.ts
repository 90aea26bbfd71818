import { Account, FormerTimeZone, Period } from './account.ts';
import { Alert } from './alert.ts';
import { Attempt, UnpaidTokens } from './attempt.ts';
import { Resend, ResendDelivery } from './channels/resend.ts';
import { WebhookEndpoint } from './channels/webhook-endpoint.ts';
import { AuditEntry } from './audit-entry.ts';
import { Address, AddressChange, InstallationKey, NotificationPreference, Suppression } from './channels/address.ts';
import { Conversation, OwnInstructions } from './conversation.ts';
import { File, FileContent, LooseObject, TurnFile } from './files/file.ts';
import { Hold } from './hold.ts';
import { ApiKey, KeyUsage } from './keys/api-key.ts';
import { Invitation } from './keys/invitation.ts';
import { LedgerEntry, Proof, ProvedPeriod } from './ledger-entry.ts';
import { ModelOff, ModelRate, RatePublisher } from './model-rate.ts';
import { Delivery, Notification } from './notification.ts';
import { InboundEvent } from './payments/inbound-event.ts';
import { Pack } from './payments/pack.ts';
import { PaymentSnapshot, Purchase, PurchaseBooking, PurchaseSecret } from './payments/purchase.ts';
import { CodeBatch, Redemption, RedemptionCode } from './payments/redemption.ts';
import { PaymentCheck, UnmatchedPayment } from './payments/reconciled.ts';
import { Refund } from './payments/refund.ts';
import { AutoTopUp, PaymentCustomer, PaymentMethod, TopUp } from './payments/top-up.ts';
import { Redrive, RedriveTurn } from './redrive.ts';
import { Forecast, OperatorReport, UsageReport } from './reports/usage-report.ts';
import { ShareLink } from './sharing/share-link.ts';
import { AnswerFeedback, Turn, TurnPrompt } from './turn.ts';
import {
  FirstDeltaDay,
  Refusal,
  UsageDay,
  UsageDayMark,
  UsagePeopleDay,
  UsagePersonMark,
  UsagePersonMonth,
  UsageRollup,
} from './usage-rollup.ts';
import { User } from './user.ts';

/** Every table. test/db/entities.test.ts compares them with the migrated schema. */
export const ENTITIES = [
  User,
  ApiKey,
  Invitation,
  Account,
  FormerTimeZone,
  Period,
  Conversation,
  OwnInstructions,
  Turn,
  ShareLink,
  AnswerFeedback,
  ModelRate,
  RatePublisher,
  ModelOff,
  Hold,
  Attempt,
  UnpaidTokens,
  LedgerEntry,
  UsageRollup,
  UsageDay,
  FirstDeltaDay,
  UsageDayMark,
  UsagePersonMonth,
  UsagePeopleDay,
  UsagePersonMark,
  Alert,
  Notification,
  Delivery,
  Resend,
  ResendDelivery,
  Address,
  AddressChange,
  WebhookEndpoint,
  Suppression,
  NotificationPreference,
  InstallationKey,
  AuditEntry,
  Redrive,
  RedriveTurn,
  Refusal,
  Proof,
  ProvedPeriod,
  Pack,
  Purchase,
  PurchaseSecret,
  PaymentCustomer,
  PaymentMethod,
  AutoTopUp,
  TopUp,
  PaymentSnapshot,
  PurchaseBooking,
  Refund,
  InboundEvent,
  CodeBatch,
  RedemptionCode,
  Redemption,
  UnmatchedPayment,
  PaymentCheck,
  TurnPrompt,
  KeyUsage,
  File,
  FileContent,
  TurnFile,
  LooseObject,
  UsageReport,
  Forecast,
  OperatorReport,
] as const;
