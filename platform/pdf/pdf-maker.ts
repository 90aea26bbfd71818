import type { ReportDocument } from '../../domain/reports/document.ts';
import { createJobThread } from '../job-thread.ts';

/** Makes PDFs without holding up the event loop: one takes 60 to 200 ms. */
export interface PdfMaker {
  /** @throws PdfMakerBusy when too many wait. */
  make(document: ReportDocument): Promise<Buffer>;
  close(): Promise<void>;
}

export class PdfMakerBusy extends Error {
  override readonly name = 'PdfMakerBusy';
}

/** At 200 ms each, the last of them waits for ten seconds. */
const MOST_WAITING = 50;

export function createPdfMaker(): PdfMaker {
  const thread = createJobThread<ReportDocument, Uint8Array>(new URL('./pdf-thread.ts', import.meta.url));
  return {
    async make(document) {
      if (thread.waiting() >= MOST_WAITING) throw new PdfMakerBusy();
      return Buffer.from(await thread.run(document, 0));
    },
    close: () => thread.close(),
  };
}
