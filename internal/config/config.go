// Package config reads the settings of the program from its arguments and its environment.
//
// Every setting is a flag and an environment variable: --max-first is CVMGRAPH_MAX_FIRST. A flag
// takes precedence over a variable, and a variable over the default. Traces are configured by the
// standard OpenTelemetry variables instead. The package gets arguments and environment as
// parameters and does not read them from the process.
package config

import (
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Command is a command of the program.
type Command string

// The commands. CommandServe is the default.
const (
	CommandServe   Command = "serve"
	CommandSchema  Command = "schema"
	CommandHealth  Command = "health"
	CommandCheck   Command = "check"
	CommandHelp    Command = "help"    // also --help; Parse has already written the help
	CommandVersion Command = "version" // also --version; the caller writes the version
)

// Config holds all settings, validated and typed. It is read-only, so it is safe for concurrent
// use. With CommandHelp and CommandVersion, only Command and Warnings are set.
type Config struct {
	// Command is the command to run. It is never empty.
	Command Command

	// Warnings are messages for the log, one line each: environment variables that begin with
	// CVMGRAPH_ but are not a setting, or not a setting of the command, and OpenTelemetry's
	// variables with wrong values. They never contain the value of a variable that may be a secret.
	// Nil if there are no warnings.
	Warnings []string

	// Listen is the public address, in the format of net.Listen. The host may be empty and the port
	// 0.
	Listen string

	// AdminListen is the address of metrics and profiles, in the format of Listen. Empty turns them
	// off.
	AdminListen string

	// UpstreamURL is the base URL of the REST API: absolute, http or https, without user, query,
	// fragment or trailing slash. With Demo it is nil; the caller knows the address of the demo
	// API.
	UpstreamURL *url.URL

	// APIVersion is the upstream's API version, a date YYYY-MM-DD.
	APIVersion string

	// Demo serves the embedded demo API instead of UpstreamURL.
	Demo bool

	// UpstreamTimeout limits one attempt to call the upstream. It is positive.
	UpstreamTimeout time.Duration

	// RequestTimeout limits one GraphQL request. It is positive.
	RequestTimeout time.Duration

	// IdleTimeout is the time for which a caller's connection is kept open without a request. It is
	// positive.
	IdleTimeout time.Duration

	// BasePath is the path below which all public paths are: "" for the root, else it begins with a
	// slash and does not end in one. It consists of letters, digits and the characters "-._~/".
	BasePath string

	// TrustedProxies are the networks of the proxies whose X-Forwarded-For is believed in the log.
	TrustedProxies []netip.Prefix

	// DrainDelay is the time for which new requests are accepted after /readyz has begun to return
	// 503. It may be 0.
	DrainDelay time.Duration

	// MaxFirst is the largest first or last, 1 to 10000.
	MaxFirst int

	// MaxHeader is the size limit of a request's header, 4KiB to 1MiB.
	MaxHeader ByteSize

	// MaxBody is the size limit of a request body, 1KiB to 64MiB.
	MaxBody ByteSize

	// CacheTTL is the time for which a cached page is served. 0 turns the cache off.
	CacheTTL time.Duration

	// CacheBytes is the memory limit for cached pages and responses, 1MiB to 64GiB.
	CacheBytes ByteSize

	// StaleIfError is the maximum age of a cached page that is served if the upstream fails. 0
	// turns this off; otherwise it is at least CacheTTL.
	StaleIfError time.Duration

	// RedisURL is the address of the Redis server that replicas share. It may contain a password.
	// Empty turns sharing off.
	RedisURL string

	// SharedKey encrypts shared data. It is a secret. It is zero without a RedisURL.
	SharedKey [32]byte

	// TLSCert and TLSKey are the PEM files of the certificate and its key. Both are empty without
	// TLS.
	TLSCert, TLSKey string

	// AllowedOrigins are the origins, besides the gateway's own, whose pages may call the gateway
	// from a browser. Each has a scheme, a host and, unless it is the scheme's default, a port.
	AllowedOrigins []string

	// Introspection allows introspection of the schema.
	Introspection bool

	// Playground serves GraphiQL.
	Playground bool

	// TrustedDocumentsFile is the name of the file that Documents were read from. It may be empty.
	TrustedDocumentsFile string

	// TrustedDocumentsMode is off, log or enforce. It is off without TrustedDocumentsFile.
	TrustedDocumentsMode string

	// Documents are the documents of the file by their ids. An id is the hash of its document, in
	// the notation of the file, or a name. Documents is nil without a file, and for commands other
	// than serve and check; otherwise it has at least one document.
	Documents map[string]string

	// MaxTokens limits the tokens of a document, 1 to 100000.
	MaxTokens int

	// MaxDepth limits the nesting of fields in a document, 1 to 1000.
	MaxDepth int

	// MaxAliases limits the aliases in a document, 1 to 10000.
	MaxAliases int

	// MaxUpstreamCalls limits the upstream calls of one operation, 1 to 10000.
	MaxUpstreamCalls int

	// Projection writes selected fields straight from the upstream's bytes.
	Projection bool

	// Token and APIKey are the credentials of the command check, sent as a bearer token and as
	// X-API-Key: printable ASCII without spaces. They are secrets. For other commands both are
	// empty.
	Token, APIKey string

	// LogLevel is the lowest level that is logged.
	LogLevel slog.Level

	// LogFormat is auto, text or json.
	LogFormat string

	// Traces is the exporter of traces: TracesOff, TracesConsole, TracesGRPC or TracesHTTP. The
	// OpenTelemetry library reads all other variables itself.
	Traces string
}

// ProblemsError lists all problems with the arguments and the environment; there is at least one. A
// problem is one line that names the flag, its variable and the allowed values.
type ProblemsError struct {
	Problems []string
	// Hints are the warnings about variables that appear to be misspelled, one line each, because
	// they may be the cause.
	Hints []string
}

// Error returns the problems and the hints, one per line.
func (e *ProblemsError) Error() string {
	return strings.Join(slices.Concat(e.Problems, e.Hints), "\n")
}

// Parse reads the settings from args, the program's arguments without its name, and environ, lines
// of the form NAME=value as os.Environ returns them. An empty variable is an empty value, not a
// missing one. The first of repeated variables and the last of repeated flags counts.
//
// If args ask for help, Parse writes it to stdout, which it does not use otherwise. Parse does not
// look for problems if args ask for help or for the version. In all other cases it returns every
// problem in one *[ProblemsError]. Any other error is from stdout.
func Parse(args, environ []string, stdout io.Writer) (*Config, error) {
	env := environment(variables(environ, variablePrefix))
	line, err := readCommandLine(args, env, stdout)
	if err != nil {
		return nil, err
	}
	warnings := env.warnings(line.flags)
	if line.command == CommandHelp || line.command == CommandVersion {
		return &Config{Command: line.command, Warnings: warnings}, nil
	}
	needsFiles := line.command == CommandServe || line.command == CommandCheck
	cfg, wrong := line.settings.decode(line.given, needsFiles)
	wrong = append(line.problems, wrong...)
	if needsFiles {
		if cfg.TLSCert != "" && cfg.TLSKey != "" {
			wrong = append(wrong, certificateProblems(cfg.TLSCert, cfg.TLSKey)...)
		}
		if cfg.TrustedDocumentsFile != "" {
			cfg.Documents = read((*problems)(&wrong), "trusted-documents", cfg.TrustedDocumentsFile, parseDocuments)
		}
		traces, wrongTraces := (&openTelemetry{values: variables(environ, "OTEL_")}).traces()
		cfg.Traces, warnings = traces, append(warnings, wrongTraces...)
	}
	if line.command == CommandCheck {
		p, s := (*problems)(&wrong), line.settings
		cfg.Token = readSecret(p, "token", s.Token, s.TokenFile, parseSecret("the token alone, without the word Bearer"))
		cfg.APIKey = readSecret(p, "api-key", s.APIKey, s.APIKeyFile, parseSecret("the key alone"))
	} else {
		ignored, rejected := line.unusedCredentials()
		warnings, wrong = append(warnings, ignored...), append(wrong, rejected...)
	}
	if len(wrong) > 0 {
		return nil, &ProblemsError{Problems: wrong, Hints: env.misspelled(line.flags)}
	}
	cfg.Command, cfg.Warnings = line.command, warnings
	return cfg, nil
}
