/**
 * What any program may know of our environment: where things lie and how to write. Everything else may be a secret
 * (keys, passwords, tokens of a CI), and only the app is given all of it.
 */
const PLAIN =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TMP|TEMP|XDG_\w+|LD_LIBRARY_PATH|LD_PRELOAD|FAKETIME\w*|SystemRoot|APPDATA|LOCALAPPDATA|USERPROFILE|DOCKER_(HOST|CONTEXT|CONFIG|CERT_PATH|TLS_VERIFY)|ASDF_\w+|MISE_\w+|SSL_CERT_(FILE|DIR)|NODE_(ENV|OPTIONS|EXTRA_CA_CERTS|COMPILE_CACHE))$/i;
/** What a program that downloads or builds needs besides: the way out, and Go's own settings. */
const NETWORK =
  /^((HTTP|HTTPS|ALL|NO)_PROXY|GO(PATH|ROOT|BIN|CACHE|MODCACHE|PROXY|NOPROXY|PRIVATE|SUMDB|NOSUMDB|INSECURE|TOOLCHAIN|ENV))$/i;

/** The environment of a program that needs no secret of ours. */
export function plainEnvironment({ network = false } = {}): Record<string, string> {
  return pick((name) => PLAIN.test(name) || (network && NETWORK.test(name)));
}

/** All that we were given, secrets too. */
export function wholeEnvironment(): Record<string, string> {
  return pick(() => true);
}

function pick(isWanted: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && isWanted(name) ? [[name, value] as const] : [],
    ),
  );
}
