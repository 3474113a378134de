import { UserError } from "../../components/user-error.ts";

const missing = "Could not load credentials from any providers";
const expired =
  /ExpiredToken|RequestExpired|TokenRefreshRequired|(?<!certificate )has expired|Token is expired|session .*expired/i;
const unusable =
  /InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|AuthFailure|SignatureDoesNotMatch|CredentialsProviderError/;
const denied = /AccessDenied|UnauthorizedOperation|NotAuthorized/;
/** No answer at all: codes of Node's sockets, and the SDK's own word for one that took too long. */
const silent = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** A certificate that is not believed, by OpenSSL's and Node's codes. */
const untrusted =
  /^(CERT_|ERR_TLS_CERT_|SELF_SIGNED_CERT_|DEPTH_ZERO_SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER)_)/;

interface AwsError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
}

/**
 * What is wrong with the credentials; undefined where they are not what is wrong.
 *
 * @param before what is said ahead of the way out, such as that nothing was touched. @default nothing
 */
export function credentialsProblem(error: unknown, before = ""): UserError | undefined {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const said = `${name} ${message}`;
  const again = "then run the same command again";
  if (said.includes(missing)) {
    return new UserError("There are no AWS credentials.", {
      hint: `${before}Log in (aws sso login, aws configure) or name a profile (AWS_PROFILE), ${again}. Without an account: npm run demo.`,
      cause: error,
    });
  }
  if (expired.test(said)) {
    return new UserError("The AWS credentials have expired.", {
      hint: `${before}Log in anew (such as aws sso login), ${again}; the schedules in the account end what they were armed for meanwhile.`,
      cause: error,
    });
  }
  if (!unusable.test(said)) return undefined;
  return new UserError(`AWS does not take the credentials: ${message}`, {
    hint: `${before}Log in anew (such as aws sso login), ${again}.`,
    cause: error,
  });
}

/** An error of the AWS SDK, with what it met; undefined for what came from elsewhere. */
function awsError(error: Error): AwsError | undefined {
  const isOfSdk = "$metadata" in error || error.name === "CredentialsProviderError";
  return isOfSdk ? error : undefined;
}

/**
 * An answer of AWS's, or none, that the user can do something about: credentials, a right that is missing, no way there.
 * undefined for any other error.
 */
export function awsProblem(thrown: unknown): UserError | undefined {
  for (let at = thrown; at instanceof Error; at = at.cause) {
    const error = awsError(at);
    if (error === undefined) continue;
    const { name, message, code = "" } = error;
    const credentials = credentialsProblem(at);
    if (credentials !== undefined) return credentials;
    if (denied.test(name)) {
      return new UserError(`AWS refuses it: ${message}`, {
        hint: "docs/iam-policy.md has the rights that each command needs.",
        cause: thrown,
      });
    }
    if (untrusted.test(code)) {
      return new UserError(`The certificate of AWS's address is not taken: ${message}`, {
        hint: "Name the certificate of a proxy that opens the connection in NODE_EXTRA_CA_CERTS, or set the clock right, then run the same command again.",
        cause: thrown,
      });
    }
    if (silent.test(code) || name === "TimeoutError") {
      return new UserError(`AWS did not answer: ${message}`, {
        hint: "Look at the network, and at the region in the stack's file, then run the same command again.",
        cause: thrown,
      });
    }
  }
  return undefined;
}
