package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// settings has the values as they were written. It defines the name, the default and the help of
// every setting; the environment variable follows from the name.
type settings struct {
	Listen           string `default:":8080" placeholder:"HOST:PORT" help:"Public address. An empty host listens on every interface; port 0 picks a free port."`
	AdminListen      string `default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address of /metrics and /debug/pprof, which require no credential. Empty turns them off; port 0 picks a free port."`
	UpstreamURL      string `name:"upstream-url" default:"https://cloud-api.phala.com/api/v1" placeholder:"URL" help:"Base URL of the REST API, absolute. The gateway calls {base}/cvms/paginated."`
	APIVersion       string `name:"api-version" default:"2025-10-28" placeholder:"YYYY-MM-DD" help:"API version, sent upstream as X-Phala-Version: 2025-10-28, 2026-01-21, 2026-05-22 or 2026-06-23. Another date is accepted with a warning."`
	Demo             toggle `default:"false" help:"Serve an embedded demo API. It cannot be combined with --upstream-url."`
	UpstreamTimeout  string `default:"30s" placeholder:"DURATION" help:"Time limit for one upstream attempt, with a unit: 500ms, 10s, 1m."`
	RequestTimeout   string `default:"60s" placeholder:"DURATION" help:"Time limit for one GraphQL request, with a unit: 500ms, 10s, 1m."`
	IdleTimeout      string `default:"90s" placeholder:"DURATION" help:"Time for which a caller's connection is kept open without a request, with a unit. It must be longer than that of a load balancer in front, which would otherwise send requests on closed connections."`
	BasePath         string `default:"/" placeholder:"PATH" help:"Path below which the gateway serves everything, such as /cvms, for a proxy that does not strip it."`
	TrustedProxies   string `default:"" placeholder:"NETWORK,…" help:"Networks of proxies whose X-Forwarded-For is believed in the log, such as 10.0.0.0/8, separated by commas."`
	DrainDelay       string `default:"3s" placeholder:"DURATION" help:"Time for which the gateway accepts new requests after SIGTERM, while /readyz returns 503, so that load balancers notice; with a unit, or 0. With --demo the default is 0."`
	MaxFirst         string `default:"1000" placeholder:"ITEMS" help:"Largest first or last, 1 to 10000."`
	MaxHeader        string `default:"16KiB" placeholder:"SIZE" help:"Largest request header, with the request line, 4KiB to 1MiB; in bytes, or with KiB or MiB."`
	MaxBody          string `default:"256KiB" placeholder:"SIZE" help:"Largest request body, 1KiB to 64MiB; in bytes, or with KiB or MiB."`
	CacheTTL         string `name:"cache-ttl" default:"2s" placeholder:"DURATION" help:"Time for which a cached page is served, with a unit. 0 turns the cache off."`
	CacheBytes       string `default:"64MiB" placeholder:"SIZE" help:"Memory limit for cached pages and responses, 1MiB to 64GiB; in bytes, or with KiB, MiB or GiB."`
	StaleIfError     string `default:"0s" placeholder:"DURATION" help:"Maximum age of a cached page that is served if the upstream fails, with a unit. 0 turns this off."`
	RedisURL         string `name:"redis-url" default:"" placeholder:"URL" help:"Redis server through which replicas share pages and persisted queries, redis:// or rediss://. Empty turns sharing off."`
	SharedKey        string `default:"" placeholder:"KEY" help:"Key that encrypts what replicas share: 32 random bytes in base64, the same on all replicas. Required with --redis-url."`
	TLSCert          string `name:"tls-cert" default:"" placeholder:"FILE" help:"PEM file of the TLS certificate, followed by its intermediate certificates. Empty serves plain HTTP."`
	TLSKey           string `name:"tls-key" default:"" placeholder:"FILE" help:"PEM file of the certificate's key. Required with --tls-cert."`
	AllowedOrigins   string `default:"" placeholder:"ORIGIN,…" help:"Origins allowed by CORS, such as https://app.example.org, separated by commas. Empty allows the gateway's own origin only."`
	Introspection    toggle `default:"true" help:"Allow introspection of the schema. =false turns it off, and errors do not suggest names either."`
	Playground       toggle `default:"true" help:"Serve GraphiQL at /. =false turns it off."`
	MaxTokens        string `default:"2000" placeholder:"COUNT" help:"Maximum number of tokens in a document, 1 to 100000."`
	MaxDepth         string `default:"15" placeholder:"LEVELS" help:"Maximum nesting of fields in a document, 1 to 1000."`
	MaxAliases       string `default:"30" placeholder:"COUNT" help:"Maximum number of aliases in a document, 1 to 10000."`
	MaxUpstreamCalls string `default:"100" placeholder:"COUNT" help:"Maximum upstream calls per operation, 1 to 10000; checked before the first call and enforced throughout."`
	Projection       toggle `default:"true" help:"Write selected fields straight from the upstream's bytes. =false turns it off: gqlgen then executes every field."`
	LogLevel         string `default:"info" placeholder:"LEVEL" help:"Lowest level that is logged: debug, info, warn or error."`
	LogFormat        string `default:"auto" placeholder:"FORMAT" help:"Log format: auto, text or json. auto is text on a terminal and JSON elsewhere."`

	Token  string `default:"" placeholder:"TOKEN" help:"Bearer token for cvmgraph check. The gateway itself only forwards the credentials of its callers."`
	APIKey string `name:"api-key" default:"" placeholder:"KEY" help:"API key for cvmgraph check, sent as X-API-Key."`

	RedisURLFile  string `name:"redis-url-file" default:"" placeholder:"FILE" help:"File that contains the value of --redis-url."`
	SharedKeyFile string `default:"" placeholder:"FILE" help:"File that contains the value of --shared-key."`
	TokenFile     string `default:"" placeholder:"FILE" help:"File that contains the value of --token."`
	APIKeyFile    string `name:"api-key-file" default:"" placeholder:"FILE" help:"File that contains the value of --api-key."`

	TrustedDocuments     string `default:"" placeholder:"FILE" help:"File of documents that clients may request by documentId, written by relay-compiler, graphql-codegen or genqlient. Empty turns this off."`
	TrustedDocumentsMode string `default:"off" placeholder:"MODE" help:"Handling of documents that are not in the file: off, log (execute and log) or enforce (reject)."`
}

// toggle is a boolean as it was written: --demo alone is "true".
type toggle string

// IsBool makes kong accept the flag without a value.
func (toggle) IsBool() bool { return true }

// Decode reads the value that is joined to the flag or comes from a variable or the default.
func (t *toggle) Decode(ctx *kong.DecodeContext) error {
	*t = "true"
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		*t = toggle(ctx.Scan.Pop().String())
	}
	return nil
}

// maxDuration keeps sums of durations far from overflow, and rejects 30h written for 30s.
const maxDuration = 24 * time.Hour

// decode returns the typed settings and the problems with their values. The keys of given are the
// names of the settings that a flag or a variable has set. readFiles reports whether to read
// secrets from their files.
func (s settings) decode(given map[string]bool, readFiles bool) (*Config, []string) {
	var p problems
	if (s.RedisURL != "" || s.RedisURLFile != "") && s.SharedKey == "" && s.SharedKeyFile == "" {
		p.add("shared-key", errors.New("is required with "+settingLabel("redis-url")))
	}
	if !readFiles {
		s.RedisURLFile, s.SharedKeyFile = "", ""
	}
	cfg := &Config{
		Listen:           read(&p, "listen", s.Listen, parseListen),
		AdminListen:      read(&p, "admin-listen", s.AdminListen, parseAdminListen),
		UpstreamURL:      read(&p, "upstream-url", s.UpstreamURL, parseBaseURL),
		APIVersion:       read(&p, "api-version", s.APIVersion, parseDate),
		Demo:             read(&p, "demo", string(s.Demo), parseBool),
		UpstreamTimeout:  read(&p, "upstream-timeout", s.UpstreamTimeout, parseDuration),
		IdleTimeout:      read(&p, "idle-timeout", s.IdleTimeout, parseDuration),
		RequestTimeout:   read(&p, "request-timeout", s.RequestTimeout, parseDuration),
		BasePath:         read(&p, "base-path", s.BasePath, parseBasePath),
		TrustedProxies:   read(&p, "trusted-proxies", s.TrustedProxies, parseNetworks),
		DrainDelay:       read(&p, "drain-delay", s.DrainDelay, parseDurationOrZero),
		MaxFirst:         read(&p, "max-first", s.MaxFirst, parseCount(10000)),
		MaxHeader:        read(&p, "max-header", s.MaxHeader, parseSize("a size in bytes, or with KiB or MiB, from 4KiB to 1MiB", 4*KiB, MiB)),
		MaxBody:          read(&p, "max-body", s.MaxBody, parseSize("a size in bytes, or with KiB or MiB, from 1KiB to 64MiB", KiB, 64*MiB)),
		CacheTTL:         read(&p, "cache-ttl", s.CacheTTL, parseDurationOrZero),
		CacheBytes:       read(&p, "cache-bytes", s.CacheBytes, parseSize("a size in bytes, or with KiB, MiB or GiB, from 1MiB to 64GiB", MiB, 64*GiB)),
		StaleIfError:     read(&p, "stale-if-error", s.StaleIfError, parseDurationOrZero),
		RedisURL:         readSecret(&p, "redis-url", s.RedisURL, s.RedisURLFile, parseRedisURL),
		SharedKey:        readSecret(&p, "shared-key", s.SharedKey, s.SharedKeyFile, parseKey),
		TLSCert:          s.TLSCert,
		TLSKey:           s.TLSKey,
		AllowedOrigins:   read(&p, "allowed-origins", s.AllowedOrigins, parseOrigins),
		Introspection:    read(&p, "introspection", string(s.Introspection), parseBool),
		Playground:       read(&p, "playground", string(s.Playground), parseBool),
		MaxTokens:        read(&p, "max-tokens", s.MaxTokens, parseCount(100_000)),
		MaxDepth:         read(&p, "max-depth", s.MaxDepth, parseCount(1000)),
		MaxAliases:       read(&p, "max-aliases", s.MaxAliases, parseCount(10_000)),
		MaxUpstreamCalls: read(&p, "max-upstream-calls", s.MaxUpstreamCalls, parseCount(10_000)),
		Projection:       read(&p, "projection", string(s.Projection), parseBool),
		LogLevel:         read(&p, "log-level", s.LogLevel, parseLogLevel),
		LogFormat:        read(&p, "log-format", s.LogFormat, parseChoice("auto", "text", "json")),

		TrustedDocumentsFile: s.TrustedDocuments,
		TrustedDocumentsMode: read(&p, "trusted-documents-mode", s.TrustedDocumentsMode, parseChoice("off", "log", "enforce")),
	}
	if cfg.TLSCert != "" && cfg.TLSKey == "" {
		p.add("tls-key", errors.New("is required with "+settingLabel("tls-cert")))
	}
	if cfg.TLSKey != "" && cfg.TLSCert == "" {
		p.add("tls-cert", errors.New("is required with "+settingLabel("tls-key")))
	}
	if cfg.TrustedDocumentsFile == "" && (cfg.TrustedDocumentsMode == "log" || cfg.TrustedDocumentsMode == "enforce") {
		p.add("trusted-documents-mode", errors.New("must be off without "+settingLabel("trusted-documents")))
	}
	if cfg.StaleIfError > 0 && cfg.StaleIfError < cfg.CacheTTL {
		p.add("stale-if-error", errors.New("must be 0, or at least "+settingLabel("cache-ttl")))
	}
	if cfg.Demo {
		if given["upstream-url"] {
			p.add("demo", errors.New("cannot be combined with "+settingLabel("upstream-url")+"; remove one of them"))
		}
		cfg.UpstreamURL = nil
		if !given["drain-delay"] { // a demo has no load balancer
			cfg.DrainDelay = 0
		}
	}
	return cfg, p
}

// certificateProblems returns the problems with a certificate file and its key file. The problems
// do not contain the names of the files, because a user may have passed the key itself.
func certificateProblems(cert, key string) []string {
	var p problems
	for _, file := range []struct{ flag, name string }{{"tls-cert", cert}, {"tls-key", key}} {
		if _, err := readFile(file.name, maxDocuments); err != nil {
			p.add(file.flag, fmt.Errorf("cannot be read: %w", err))
		}
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil && len(p) == 0 {
		p.add("tls-cert", fmt.Errorf("does not match the key in %s: %s", settingLabel("tls-key"), strings.TrimPrefix(err.Error(), "tls: ")))
	}
	return p
}

type problems []string

func (p *problems) add(flag string, err error) {
	*p = append(*p, settingLabel(flag)+" "+err.Error())
}

// read returns the parsed value. If parse fails, read adds a problem and returns the zero value.
func read[T any](p *problems, flag, written string, parse func(string) (T, error)) T {
	value, err := parse(written)
	if err != nil {
		p.add(flag, err)
		var zero T
		return zero
	}
	return value
}

// maxSecretFile is the size limit of a file that contains a secret, in bytes.
const maxSecretFile = 64 << 10

// readSecret is like read, for a secret that may be in a file instead, without the line ends after
// it. The problems contain neither the secret nor the name of the file, because a user may have
// passed the secret instead of the name.
func readSecret[T any](p *problems, flag, written, file string, parse func(string) (T, error)) T {
	if file == "" {
		return read(p, flag, written, parse)
	}
	return read(p, flag+"-file", file, func(name string) (value T, err error) {
		if written != "" {
			return value, errors.New("cannot be combined with " + settingLabel(flag) + "; remove one of them")
		}
		content, err := readFile(name, maxSecretFile)
		if err != nil {
			return value, fmt.Errorf("cannot be read: %w", err)
		}
		secret := strings.TrimRight(string(content), "\r\n")
		if secret == "" {
			return value, errors.New("is an empty file")
		}
		if value, err = parse(secret); err != nil {
			return value, fmt.Errorf("contains a value that %w", err)
		}
		return value, nil
	})
}

func settingLabel(flag string) string {
	return "--" + flag + " (" + variable(flag) + ")"
}

// mustBe returns the error of a value that is not allowed. The error shows the value, so settings
// that may contain secrets do not use mustBe.
func mustBe(allowed, written string) error {
	return fmt.Errorf("must be %s, not %s", allowed, quote(written))
}

// quote quotes at most 40 characters of a value.
func quote(written string) string {
	const most = 40
	if utf8.RuneCountInString(written) > most {
		written = string([]rune(written)[:most]) + "…"
	}
	return strconv.Quote(written)
}
