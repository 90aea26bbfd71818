import { CreateTurnsAndLedger } from './20261123-create-turns-and-ledger.ts';
import { CreateAuditEntries } from './20261124-create-audit-entries.ts';
import { FindTurnsForAdmins } from './20261124-find-turns-for-admins.ts';
import { CreateRatesAndRollups } from './20261124-create-rates-and-rollups.ts';
import { IndexOverageDebits } from './20261124-index-overage-debits.ts';
import { SuspendAccounts } from './20261124-suspend-accounts.ts';
import { RememberArmedSchedules } from './20261124-remember-armed-schedules.ts';
import { CreateAlertsAndNotifications } from './20261124-create-alerts-and-notifications.ts';
import { CreateRedrives } from './20261124-create-redrives.ts';
import { IndexTurnsByTouch } from './20261124-index-turns-by-touch.ts';
import { KnowPeopleByIssuer } from './20261125-know-people-by-issuer.ts';
import { FindHoldsByAccount } from './20261125-find-holds-by-account.ts';
import { FindReversalsByGrant } from './20261125-find-reversals-by-grant.ts';
import { OpenAttemptsInOrder } from './20261130073000-open-attempts-in-order.ts';
import { ProveTheBooksInSteps } from './20261130093000-prove-the-books-in-steps.ts';
import { SellTokens } from './20261130094016-sell-tokens.ts';
import { ArchiveHolds } from './20261130100000-archive-holds.ts';
import { KeepWhatProvidersSay } from './20261130100401-keep-what-providers-say.ts';
import { CheckFinishWords } from './20261130100402-check-finish-words.ts';
import { NameTimeZonesAsTemporalDoes } from './20261130103203-name-time-zones-as-temporal-does.ts';
import { CountRefusals } from './20261130103204-count-refusals.ts';
import { SearchByKeys } from './20261130103205-search-by-keys.ts';
import { IndexTitles } from './20261130103206-index-titles.ts';
import { RepeatRedrivesByKey } from './20261130103207-repeat-redrives-by-key.ts';
import { FindRedrivesOfATurn } from './20261130103208-find-redrives-of-a-turn.ts';
import { LetKeysExpire } from './20261130103209-let-keys-expire.ts';
import { LetTheNewestDeploymentSetRates } from './20261130105300-let-the-newest-deployment-set-rates.ts';
import { CountUnpaidTokens } from './20261130105453-count-unpaid-tokens.ts';
import { OpenTheOpenaiDoor } from './20261130113147-open-the-openai-door.ts';
import { EraseConversations } from './20261130113148-erase-conversations.ts';
import { CheckErased } from './20261130113149-check-erased.ts';
import { ShareConversations } from './20261130113150-share-conversations.ts';
import { FindWhatWasSaid } from './20261130113151-find-what-was-said.ts';
import { SayWhatATurnFollows } from './20261130123558-say-what-a-turn-follows.ts';
import { CheckParents } from './20261130123559-check-parents.ts';
import { FindTurnsByParent } from './20261130123600-find-turns-by-parent.ts';
import { KeepFeedback } from './20261130123601-keep-feedback.ts';
import { LetPeopleMakeKeys } from './20261130134249-let-people-make-keys.ts';
import { NameTheKeyOfATurn } from './20261130134250-name-the-key-of-a-turn.ts';
import { CheckTheKeysOfTurns } from './20261130134251-check-the-keys-of-turns.ts';
import { SendNotificationsOut } from './20261130134252-send-notifications-out.ts';
import { TellOnce } from './20261130134253-tell-once.ts';
import { KeepWhatCallsAnswer } from './20261130134254-keep-what-calls-answer.ts';
import { CheckErasedAnswers } from './20261130134255-check-erased-answers.ts';
import { ShowCashReceipts } from './20261130134256-show-cash-receipts.ts';
import { RedeemCodes } from './20261130134257-redeem-codes.ts';
import { AcceptMismatches } from './20261130134258-accept-mismatches.ts';
import { FindLooksByTime } from './20261130134259-find-looks-by-time.ts';
import { FindDisputes } from './20261130134300-find-disputes.ts';
import { CallWebhooks } from './20261130134635-call-webhooks.ts';
import { ComparePayments } from './20261130141210-compare-payments.ts';
import { EraseTheOldestFirst } from './20261130153900-erase-the-oldest-first.ts';
import { LabelTurnsOfTheDoor } from './20261130170000-label-turns-of-the-door.ts';
import { KeepFiguresOfDays } from './20261130175811-keep-figures-of-days.ts';
import { FindRollupsOfADay } from './20261130175812-find-rollups-of-a-day.ts';
import { FindArmedAccounts } from './20261130175813-find-armed-accounts.ts';
import { OpenFirstAttemptsAtOnce } from './20261130175814-open-first-attempts-at-once.ts';
import { KeepFiles } from './20261130175815-keep-files.ts';
import { KeepOwnInstructions } from './20261130175816-keep-own-instructions.ts';
import { KeepReports } from './20261130175817-keep-reports.ts';
import { CheckOwnInstructions } from './20261130175818-check-own-instructions.ts';
import { ShowFiles } from './20261130175819-show-files.ts';
import { KnowPeopleByName } from './20261130175820-know-people-by-name.ts';
import { CheckNames } from './20261130175821-check-names.ts';
import { FindPeople } from './20261130175822-find-people.ts';
import { ResendDeliveries } from './20261130175823-resend-deliveries.ts';
import { FindDeliveries } from './20261130175824-find-deliveries.ts';
import { TopUpAutomatically } from './20261130175825-top-up-automatically.ts';
import { KeepImagesElsewhere } from './20261130210008-keep-images-elsewhere.ts';
import { StoreAnswersAtOnce } from './20261130210009-store-answers-at-once.ts';
import { FindImagesElsewhere } from './20261130210010-find-images-elsewhere.ts';
import { SwitchModels } from './20261130210011-switch-models.ts';
import { KeepFormerTimeZones } from './20261130210012-keep-former-time-zones.ts';
import { KnowWhoWaits } from './20261130230001-know-who-waits.ts';
import { KeepPeopleOfMonths } from './20261130230002-keep-people-of-months.ts';
import { LookAtFilesOnce } from './20261130230003-look-at-files-once.ts';
import { FindFilesToLookAt } from './20261130230004-find-files-to-look-at.ts';
import { FindNewestPurchases } from './20261130230005-find-newest-purchases.ts';

/**
 * The migrations in the order in which they run, forward only. `npm run mikro-orm -- migration:create
 * --name=add-receipts` writes the next one from what the entities have beyond schema.json, named by the second, and
 * updates schema.json.
 *
 * Each migration is one transaction, which may have to begin again (`db/migrate.ts`). So it changes one table, or
 * several for a moment each. An index of a table that is large by then is built while others write to the table. It is
 * a migration of its own with `isTransactional()` false: `set lock_timeout = 0`, `drop index concurrently if exists`
 * (an attempt that was broken off leaves an invalid index), `create index concurrently` and `reset lock_timeout`.
 */
export const MIGRATIONS = [
  CreateTurnsAndLedger,
  CreateAuditEntries,
  FindTurnsForAdmins,
  CreateRatesAndRollups,
  IndexOverageDebits,
  SuspendAccounts,
  RememberArmedSchedules,
  CreateAlertsAndNotifications,
  CreateRedrives,
  IndexTurnsByTouch,
  KnowPeopleByIssuer,
  FindHoldsByAccount,
  FindReversalsByGrant,
  OpenAttemptsInOrder,
  ProveTheBooksInSteps,
  SellTokens,
  ArchiveHolds,
  KeepWhatProvidersSay,
  CheckFinishWords,
  NameTimeZonesAsTemporalDoes,
  CountRefusals,
  SearchByKeys,
  IndexTitles,
  RepeatRedrivesByKey,
  FindRedrivesOfATurn,
  LetKeysExpire,
  LetTheNewestDeploymentSetRates,
  CountUnpaidTokens,
  OpenTheOpenaiDoor,
  EraseConversations,
  CheckErased,
  ShareConversations,
  FindWhatWasSaid,
  SayWhatATurnFollows,
  CheckParents,
  FindTurnsByParent,
  KeepFeedback,
  LetPeopleMakeKeys,
  NameTheKeyOfATurn,
  CheckTheKeysOfTurns,
  SendNotificationsOut,
  TellOnce,
  KeepWhatCallsAnswer,
  CheckErasedAnswers,
  ShowCashReceipts,
  RedeemCodes,
  AcceptMismatches,
  FindLooksByTime,
  FindDisputes,
  CallWebhooks,
  ComparePayments,
  EraseTheOldestFirst,
  LabelTurnsOfTheDoor,
  KeepFiguresOfDays,
  FindRollupsOfADay,
  FindArmedAccounts,
  OpenFirstAttemptsAtOnce,
  KeepFiles,
  KeepOwnInstructions,
  KeepReports,
  CheckOwnInstructions,
  ShowFiles,
  KnowPeopleByName,
  CheckNames,
  FindPeople,
  ResendDeliveries,
  FindDeliveries,
  TopUpAutomatically,
  KeepImagesElsewhere,
  StoreAnswersAtOnce,
  FindImagesElsewhere,
  SwitchModels,
  KeepFormerTimeZones,
  KnowWhoWaits,
  KeepPeopleOfMonths,
  LookAtFilesOnce,
  FindFilesToLookAt,
  FindNewestPurchases,
] as const;
