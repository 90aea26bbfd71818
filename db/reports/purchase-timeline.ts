import { sql } from 'kysely';
import { columnsOf, type RowOf } from '../columns.ts';
import type { Sql } from '../database.ts';
import { InboundEvent } from '../entities/payments/inbound-event.ts';
import { PaymentSnapshot, PurchaseBooking } from '../entities/payments/purchase.ts';
import { LedgerEntry } from '../entities/ledger-entry.ts';

const snapshotColumns = columnsOf(PaymentSnapshot, 's', [
  'seq',
  'state',
  'paid',
  'refunded',
  'withdrawn',
  'source',
  'seenAt',
]);
const bookingColumns = columnsOf(PurchaseBooking, 'b', ['seq']);
const entryColumns = columnsOf(LedgerEntry, 'e', { entryId: 'id', tokens: 'tokens', createdAt: 'createdAt' });
const hintColumns = columnsOf(InboundEvent, 'i', ['type', 'times', 'receivedAt']);

const MOST_HINTS = 100;

/** What became of a purchase: what was seen of it, what was booked, and what made us look. Oldest first. */
export interface PurchaseTimeline {
  readonly snapshots: readonly RowOf<typeof snapshotColumns>[];
  readonly bookings: readonly (RowOf<typeof bookingColumns> & RowOf<typeof entryColumns>)[];
  /** The newest 100. */
  readonly hints: readonly RowOf<typeof hintColumns>[];
}

export async function readTimeline(on: Sql, purchaseId: string): Promise<PurchaseTimeline> {
  const [snapshots, bookings, hints] = await Promise.all([
    sql<PurchaseTimeline['snapshots'][number]>`
      select ${snapshotColumns} from payment_snapshots s where purchase_id = ${purchaseId} order by seq`.execute(on),
    sql<PurchaseTimeline['bookings'][number]>`
      select ${bookingColumns}, ${entryColumns} from purchase_bookings b join ledger_entries e on e.id = b.entry_id
      where b.purchase_id = ${purchaseId} order by e.id`.execute(on),
    sql<PurchaseTimeline['hints'][number]>`
      select ${hintColumns} from inbound_events i where purchase_id = ${purchaseId}
      order by received_at desc limit ${MOST_HINTS}`.execute(on),
  ]);
  return { snapshots: snapshots.rows, bookings: bookings.rows, hints: hints.rows.reverse() };
}
