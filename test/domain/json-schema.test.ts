import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { faultOfSchema } from '../../domain/json-schema.ts';

describe('the outlines of a JSON Schema', () => {
  test.each<[string, unknown]>([
    ['nothing', {}],
    ['true', true],
    ['one of several types', { type: ['string', 'null'] }],
    ['what Zod writes', { $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: {} }],
    ['a reference', { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }],
    ['tuples of the older drafts', { type: 'array', items: [{ type: 'string' }, { type: 'number' }] }],
    ['names that look like keywords', { type: 'object', properties: { type: { type: 'string' }, items: {} } }],
    ['a keyword nobody knows', { 'x-order': 7 }],
  ])('%s may be one', (_, schema) => {
    expect(faultOfSchema(schema)).toBeNull();
  });

  test.each<[string, unknown, (string | number)[]]>([
    ['no object', 'string', []],
    ['an unknown type', { type: 'text' }, ['type']],
    ['no type at all', { type: [] }, ['type']],
    [
      'deep below',
      { properties: { a: { items: { anyOf: [{}, { type: 7 }] } } } },
      ['properties', 'a', 'items', 'anyOf', 1, 'type'],
    ],
    ['properties that are a list', { properties: [] }, ['properties']],
    ['required as a word', { required: 'a' }, ['required']],
    ['enum as an object', { enum: {} }, ['enum']],
    ['a choice of none', { oneOf: [] }, ['oneOf']],
  ])('%s is none, and its place is told', (_, schema, path) => {
    expect(faultOfSchema(schema)).toEqual({ path, reason: expect.stringMatching(/^must be/) });
  });

  test('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void faultOfSchema(value)));
  });
});
