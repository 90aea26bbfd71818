import { Migration } from '@mikro-orm/migrations';

/** People for whom an OIDC issuer vouches, beside those with keys of ours. */
export class KnowPeopleByIssuer extends Migration {
  override readonly name = '20261125-know-people-by-issuer';

  override up(): void {
    this.addSql(ISSUER);
  }
}

// A subject never changes hands, but an address does. So people are never linked by their address, and it is unique
// only among people with keys of ours.
const ISSUER = `
alter table users add column issuer text, add column subject text, add column claims_at timestamptz,
  add constraint users_issuer_and_subject_go_together check ((issuer is null) = (subject is null) and (issuer is null) = (claims_at is null)),
  add constraint users_subject_is_one_to_255_long check (length(subject) between 1 and 255),
  add constraint users_one_per_issuer_and_subject unique (issuer, subject);
drop index users_email_is_unique;
create unique index users_email_is_unique on users (email) where issuer is null;
`;
