import { SetupError } from '../../domain/setup-error.ts';

export interface ObjectsVariables {
  readonly S3_ENDPOINT?: string | undefined;
  readonly S3_BUCKET?: string | undefined;
  readonly S3_REGION: string;
  readonly S3_ACCESS_KEY_ID?: string | undefined;
  readonly S3_SECRET_ACCESS_KEY?: string | undefined;
}

export interface ObjectsSettings {
  /** Without a slash at its end. The bucket is the next part of the path. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What a signature is made over as it stands, so that nobody has to agree with us about how it is written. */
const PLAIN_PATH = /^[\w/.~-]*$/;

/**
 * Where images are kept; null: in PostgreSQL.
 * @throws SetupError when only some of its variables are set. It never quotes one.
 */
export function readObjects(e: ObjectsVariables): ObjectsSettings | null {
  const {
    S3_ENDPOINT: endpoint,
    S3_BUCKET: bucket,
    S3_REGION: region,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
  } = e;
  if (endpoint === undefined) {
    for (const name of ['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const)
      if (e[name] !== undefined) throw new SetupError(`${name}: means nothing without S3_ENDPOINT`);
    return null;
  }
  const url = URL.parse(endpoint);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    [url.username, url.password, url.search, url.hash].some((part) => part !== '') ||
    !PLAIN_PATH.test(url.pathname)
  )
    throw new SetupError('S3_ENDPOINT: must be an http or https URL without the bucket, a user, a query or a fragment');
  if (bucket === undefined || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    throw new SetupError('S3_BUCKET: must be set together with S3_ENDPOINT, to the name of a bucket');
  if (!/^[a-z0-9-]{1,64}$/i.test(region)) throw new SetupError('S3_REGION: must be the name of a region');
  if (accessKeyId === undefined || !/^[\w.+=@-]{1,256}$/.test(accessKeyId))
    throw new SetupError('S3_ACCESS_KEY_ID: must be set together with S3_ENDPOINT, to the id of an access key');
  if (secretAccessKey === undefined)
    throw new SetupError('S3_SECRET_ACCESS_KEY: must be set together with S3_ENDPOINT');
  return { endpoint: `${url.origin}${url.pathname}`.replace(/\/+$/, ''), bucket, region, accessKeyId, secretAccessKey };
}
