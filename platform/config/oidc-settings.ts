import { SetupError } from '../../domain/setup-error.ts';
import { isLoopback } from './loopback.ts';

export interface OidcVariables {
  readonly OIDC_ISSUER?: string | undefined;
  readonly OIDC_AUDIENCE?: string | undefined;
  readonly OIDC_CLIENT_ID?: string | undefined;
  readonly OIDC_SCOPES: string;
  readonly OIDC_EXTRA_PARAMS?: string | undefined;
  readonly OIDC_ROLE_CLAIM: string;
  readonly OIDC_ADMIN_ROLE?: string | undefined;
}

/**
 * The one issuer whose tokens are accepted beside our own keys; null when none is set.
 * @throws SetupError when only some of its variables are set.
 */
export function readOidc(e: OidcVariables) {
  const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience, OIDC_CLIENT_ID: clientId } = e;
  if (issuer === undefined) {
    for (const name of ['OIDC_AUDIENCE', 'OIDC_CLIENT_ID', 'OIDC_EXTRA_PARAMS', 'OIDC_ADMIN_ROLE'] as const) {
      if (e[name] !== undefined) throw new SetupError(`${name}: means nothing without OIDC_ISSUER`);
    }
    return null;
  }
  const url = URL.parse(issuer);
  if (
    url === null ||
    url.search !== '' ||
    url.hash !== '' ||
    !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))
  ) {
    throw new SetupError(
      "OIDC_ISSUER: must be an https URL as it stands in the issuer's tokens (http on loopback only)",
    );
  }
  if (audience === undefined)
    throw new SetupError(
      'OIDC_AUDIENCE: must be set together with OIDC_ISSUER, or tokens meant for others would be taken',
    );
  if (clientId === undefined && e.OIDC_EXTRA_PARAMS !== undefined)
    throw new SetupError('OIDC_EXTRA_PARAMS: means nothing without OIDC_CLIENT_ID');
  if (!e.OIDC_SCOPES.split(' ').includes('openid')) throw new SetupError('OIDC_SCOPES: must contain openid');
  return {
    issuer,
    audience,
    role: { claim: e.OIDC_ROLE_CLAIM, adminRole: e.OIDC_ADMIN_ROLE ?? null },
    /** How the web app signs in; null: it does not, and only programs bring tokens. */
    web:
      clientId === undefined
        ? null
        : {
            issuer,
            clientId,
            scopes: e.OIDC_SCOPES,
            params: Object.fromEntries(new URLSearchParams(e.OIDC_EXTRA_PARAMS ?? '')),
          },
  };
}
