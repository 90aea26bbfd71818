import type { Instant } from '../period.ts';

/** A report as it is printed: words of one language, in the order in which they are read. */
export interface ReportDocument {
  readonly lang: 'ko-KR' | 'en-US';
  readonly title: string;
  readonly lead: string;
  /** Its date: the end of what it tells of, so that it is the same whenever it is written. */
  readonly date: Instant;
  readonly sections: readonly Section[];
  readonly footer: string;
}

export interface Section {
  readonly heading: string;
  readonly lines?: readonly string[];
  readonly facts?: readonly (readonly [string, string])[];
  readonly table?: Table;
  readonly heat?: Heat;
}

/** The first column is text, the others are figures. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The hours of a week: seven rows of 24 figures. */
export interface Heat {
  readonly weekdays: readonly string[];
  readonly cells: readonly (readonly number[])[];
  readonly caption: string;
}
