import { parentPort } from 'node:worker_threads';
import type { ReportDocument } from '../../domain/reports/document.ts';
import { renderPdf } from './render.ts';

/** The thread of a PDF maker: each message to it is a document, each of its own the file's bytes. */
parentPort?.on('message', (document: ReportDocument) => {
  void renderPdf(document).then((bytes) => parentPort?.postMessage(bytes));
});
