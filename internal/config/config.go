// Package config reads the settings of the program, from its arguments and its environment, once.
//
// Every setting is a flag and an environment variable: --max-first is CVMGRAPH_MAX_FIRST. The flag wins, then
// the variable, then the default. Traces have the standard variables of OpenTelemetry instead. Nothing here is read from the process itself, so that tests are parallel.
package config

import (
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// Command is what the program was asked to do.
type Command string

// The commands. CommandServe is the default; CommandHelp and CommandVersion are the flags of these names.
const (
	CommandServe   Command = "serve"
	CommandSchema  Command = "schema"
	CommandHealth  Command = "health"
	CommandCheck   Command = "check"
	CommandHelp    Command = "help"    // the help is already written
	CommandVersion Command = "version" // the caller writes the version
)

// Config holds every setting, valid and typed, as [Parse] returned it. It is not written to afterwards, so
// any number of goroutines may read it. With CommandHelp and CommandVersion only Command and Warnings are set.
type Config struct {
	// Command is what to do; never empty.
	Command Command

	// Warnings are one line each, for the log: environment variables that start with CVMGRAPH_ and are no
	// setting, or none of the command. They never hold a variable's value. Nil if there is nothing to say.
	Warnings []string

	// Listen is the public address, as net.Listen takes it. The host may be empty and the port 0.
	Listen string

	// AdminListen is the address of the metrics and the profiles, as Listen; empty is none.
	AdminListen string

	// UpstreamURL is the base of the REST API: absolute, http or https, with neither user, query, fragment nor
	// trailing slash. It is nil with Demo, where the caller knows the address.
	UpstreamURL *url.URL

	// APIVersion is the date that names the upstream's API version, YYYY-MM-DD.
	APIVersion string

	// Demo asks for the embedded demo upstream in place of UpstreamURL.
	Demo bool

	// UpstreamTimeout bounds one attempt to call the upstream; positive.
	UpstreamTimeout time.Duration

	// RequestTimeout bounds one whole GraphQL request; positive.
	RequestTimeout time.Duration

	// DrainDelay is how long new requests are still served after /readyz has turned; 0: not at all.
	DrainDelay time.Duration

	// MaxFirst is the largest first or last that a caller may ask for, 1 to 10000.
	MaxFirst int

	// MaxBody bounds the body of one request, 1KiB to 64MiB.
	MaxBody ByteSize

	// CacheTTL is how long a page is served without asking the upstream; 0: not at all.
	CacheTTL time.Duration

	// CacheBytes bounds the pages that are kept, 1MiB to 64GiB.
	CacheBytes ByteSize

	// StaleIfError is how old a page may be served when the upstream fails; 0: none is. Above 0 it is at least CacheTTL.
	StaleIfError time.Duration

	// RedisURL is the Redis that replicas share; empty is none. It may hold a password.
	RedisURL string

	// SharedKey keys what is shared, a secret; zero without a RedisURL.
	SharedKey [32]byte

	// TLSCert and TLSKey are the files, in PEM, of the certificate and its key; both empty is no TLS.
	TLSCert, TLSKey string

	// AllowedOrigins are the origins whose pages may call the gateway from a browser, besides its own: each a
	// scheme, a host and, where it is not the scheme's own, a port. Nil is none.
	AllowedOrigins []string

	// Introspection lets clients ask for the schema.
	Introspection bool

	// Playground serves GraphiQL.
	Playground bool

	// TrustedDocuments is the file that Documents are of; empty is none.
	TrustedDocuments string

	// TrustedDocumentsMode is off, log or enforce; off without TrustedDocuments.
	TrustedDocumentsMode string

	// Documents are those of the file, by their ids, at least one; nil where there is none, or where the command is neither serve nor
	// check. An id is a hash as the file has it, which is that of its text, or a name of somebody's own.
	Documents map[string]string

	// MaxTokens bounds the tokens of a document, 1 to 100000.
	MaxTokens int

	// MaxDepth bounds how deep the fields of a document are nested, 1 to 1000.
	MaxDepth int

	// MaxAliases bounds the aliases of a document, 1 to 10000.
	MaxAliases int

	// MaxUpstreamCalls bounds the upstream calls of one operation, 1 to 10000.
	MaxUpstreamCalls int

	// Projection writes selected fields straight from the upstream's bytes.
	Projection bool

	// Token and APIKey are secrets to call the upstream with, as a bearer token and as X-API-Key, printable ASCII without spaces; empty is
	// none, and so it is for all commands but check.
	Token, APIKey string

	// LogLevel is the lowest level that is logged.
	LogLevel slog.Level

	// LogFormat is auto, text or json.
	LogFormat string

	// Traces says where traces go: TracesOff, TracesConsole, TracesGRPC or TracesHTTP. The rest of what OpenTelemetry's variables say is
	// for its library to read.
	Traces string
}

// ProblemsError lists everything that is wrong with the arguments and the environment. It holds at least one
// problem. A problem is one line that names the flag, its variable and what is allowed.
type ProblemsError struct {
	Problems []string
}

// Error returns the problems, one a line.
func (e *ProblemsError) Error() string {
	return strings.Join(e.Problems, "\n")
}

// Parse reads the settings from args, the program's arguments without its name, and environ, "NAME=value" lines
// as os.Environ returns them. A variable that is set but empty is an empty value, not an absent one; of a
// repeated variable the first counts, of a repeated flag the last.
//
// Where args ask for help it is written to stdout, which is used for nothing else, and problems are not looked
// for; nor are they with --version. What is wrong otherwise is returned as one *[ProblemsError]. Any other error
// comes from stdout.
func Parse(args, environ []string, stdout io.Writer) (*Config, error) {
	env := readEnvironment(environ)
	line, err := readCommandLine(args, env, stdout)
	if err != nil {
		return nil, err
	}
	warnings := env.warnings(line.flags)
	if line.command == CommandHelp || line.command == CommandVersion {
		return &Config{Command: line.command, Warnings: warnings}, nil
	}
	cfg, wrong := line.settings.decode(line.given)
	wrong = append(line.problems, wrong...)
	if line.command == CommandServe || line.command == CommandCheck { // for the others the files need not be there
		if cfg.TLSCert != "" && cfg.TLSKey != "" {
			wrong = append(wrong, certificateProblems(cfg.TLSCert, cfg.TLSKey)...)
		}
		if cfg.TrustedDocuments != "" {
			cfg.Documents = read((*problems)(&wrong), "trusted-documents", cfg.TrustedDocuments, parseDocuments)
		}
		traces, problems := readOpenTelemetry(environ).traces()
		cfg.Traces, wrong = traces, append(wrong, problems...)
	}
	if line.command == CommandCheck {
		cfg.Token = read((*problems)(&wrong), "token", line.settings.Token, parseToken)
		cfg.APIKey = read((*problems)(&wrong), "api-key", line.settings.APIKey, parseAPIKey)
	} else {
		ignored, refused := line.credentials()
		warnings, wrong = append(warnings, ignored...), append(wrong, refused...)
	}
	if len(wrong) > 0 {
		return nil, &ProblemsError{Problems: wrong}
	}
	cfg.Command, cfg.Warnings = line.command, warnings
	return cfg, nil
}
