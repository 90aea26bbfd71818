import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** A certificate and its key, both as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority that nobody else trusts. */
export interface Authority {
  readonly cert: string;
  /** For a server at 127.0.0.1 and `localhost`, or a client: the name is all that differs. */
  issue(name: string): Certificate;
}

export function makeAuthority(name: string): Authority {
  const keys = makeKeys();
  const isAuthority = extension('551d13', sequence(der(0x01, [0xff])));
  const cert = certify({ issuer: name, by: keys.privateKey, subject: name, of: keys.publicKey, extras: isAuthority });
  return {
    cert,
    issue(subject) {
      const own = makeKeys();
      const names = sequence(der(0x82, Buffer.from('localhost')), der(0x87, [127, 0, 0, 1]));
      const extras = extension('551d11', names);
      return {
        cert: certify({ issuer: name, by: keys.privateKey, subject, of: own.publicKey, extras }),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

function makeKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** X.509, version 3 (RFC 5280), signed by ECDSA with SHA-256. */
function certify({
  issuer,
  by,
  subject,
  of,
  extras,
}: {
  issuer: string;
  by: KeyObject;
  subject: string;
  of: KeyObject;
  extras: Buffer;
}): string {
  const algorithm = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)]);
  const validity = sequence(time('200101000000Z'), time('491231000000Z'));
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, serial),
    algorithm,
    nameOf(issuer),
    validity,
    nameOf(subject),
    of.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extras)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, by)]);
  const whole = sequence(body, algorithm, der(0x03, signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${(whole.match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** A distinguished name of a common name alone. */
function nameOf(common: string): Buffer {
  return sequence(der(0x31, sequence(der(0x06, [0x55, 4, 3]), der(0x0c, Buffer.from(common)))));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(der(0x06, Buffer.from(id, 'hex')), der(0x04, value));
}

function time(text: string): Buffer {
  return der(0x17, Buffer.from(text));
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

/** One value in DER: its tag, its length, its bytes. */
function der(tag: number, content: Buffer | readonly number[]): Buffer {
  const bytes = Buffer.from(content);
  const { length } = bytes;
  const long = length > 255 ? [0x82, length >> 8, length & 255] : length > 127 ? [0x81, length] : [length];
  return Buffer.concat([Buffer.from([tag, ...long]), bytes]);
}
