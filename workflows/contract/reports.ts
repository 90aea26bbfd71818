/** What is made when months are over, and for it. */
export interface ReportActivities {
  /** @param input.period label of the open period: the report is that of the one before it. */
  makeReport(input: { userId: number; period: string }): Promise<ReportMade>;
  /** Today's forecasts of all accounts at 50 % or more. */
  forecastUsage(): Promise<{ readonly accounts: number; readonly made: number }>;
  /** The operator's report of the last month that is over everywhere. */
  makeOperatorReport(): Promise<{ readonly label: string | null }>;
}

/** Ids and figures only, because Temporal keeps them. */
export interface ReportMade {
  /** The month it tells of; null: there was none. */
  readonly label: string | null;
  /** Deliveries that were written now: 0 when its person was told before, or gets no mail. */
  readonly deliveries: number;
}
