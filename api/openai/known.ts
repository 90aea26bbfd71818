type Known<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** Those of the fields that always have a value. */
type Defined<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
};

/** The fields that have a value. */
export function known<Fields extends object>(fields: Fields): Known<Fields> & Defined<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Known<Fields> &
    Defined<Fields>;
}
