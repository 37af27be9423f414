package config

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The exporters of traces.
const (
	TracesOff     = ""        // nothing is traced
	TracesConsole = "console" // spans are written to the log's stream, as JSON
	TracesGRPC    = "grpc"    // OTLP over gRPC
	TracesHTTP    = "http"    // OTLP over HTTP, in protobuf or JSON
)

// openTelemetry is the standard variables of OpenTelemetry. Their exporter reads most of them for itself, and goes on with a default
// where one is wrong; here they are looked at first, so that a wrong one is named at start.
type openTelemetry map[string]string

func readOpenTelemetry(environ []string) openTelemetry {
	env := openTelemetry{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if _, repeated := env[name]; !repeated && strings.HasPrefix(name, "OTEL_") {
			env[name] = strings.TrimSpace(value)
		}
	}
	return env
}

// traces returns which exporter the variables ask for, and what is wrong with them.
func (env openTelemetry) traces() (exporter string, problems []string) {
	check := func(name string, problem error) {
		if problem != nil {
			problems = append(problems, name+": "+problem.Error())
		}
	}
	env["OTEL_SDK_DISABLED"] = strings.ToLower(env["OTEL_SDK_DISABLED"])
	disabled := env.read(check, "OTEL_SDK_DISABLED", oneOf("true", "false"))
	wanted := env.read(check, "OTEL_TRACES_EXPORTER", oneOf("otlp", TracesConsole, "none"))
	if wanted == "" && env.of("ENDPOINT") != "" {
		wanted = "otlp"
	}
	if disabled == "true" || wanted == "" || wanted == "none" {
		return TracesOff, problems
	}
	sampler := env.read(check, "OTEL_TRACES_SAMPLER", oneOf("always_on", "always_off", "traceidratio",
		"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"))
	if strings.HasSuffix(sampler, "traceidratio") {
		env.read(check, "OTEL_TRACES_SAMPLER_ARG", share)
	}
	for _, name := range []string{"SCHEDULE_DELAY", "EXPORT_TIMEOUT", "MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE"} {
		env.read(check, "OTEL_BSP_"+name, positive)
	}
	if wanted == TracesConsole {
		return TracesConsole, problems
	}
	for name, rule := range map[string]func(string) error{
		"ENDPOINT": endpoint, "HEADERS": headerList, "TIMEOUT": positive, "COMPRESSION": oneOf("gzip", "none"),
		"PROTOCOL": oneOf("http/protobuf", "http/json", "grpc"),
	} {
		env.read(check, "OTEL_EXPORTER_OTLP_"+name, rule)
		env.read(check, "OTEL_EXPORTER_OTLP_TRACES_"+name, rule)
	}
	slices.Sort(problems)
	if env.of("PROTOCOL") == "grpc" {
		return TracesGRPC, problems
	}
	return TracesHTTP, problems
}

// of returns a variable of the exporter: the one for traces alone, if there is one.
func (env openTelemetry) of(name string) string {
	if value := env["OTEL_EXPORTER_OTLP_TRACES_"+name]; value != "" {
		return value
	}
	return env["OTEL_EXPORTER_OTLP_"+name]
}

// read returns a variable, "" where there is none, and checks what it says.
func (env openTelemetry) read(check func(string, error), name string, rule func(string) error) string {
	value := env[name]
	if value != "" {
		check(name, rule(value))
	}
	return value
}

func oneOf(values ...string) func(string) error {
	return func(written string) error {
		if slices.Contains(values, written) {
			return nil
		}
		return mustBe("one of "+strings.Join(values, ", "), written)
	}
}

func share(written string) error {
	if f, err := strconv.ParseFloat(written, 64); err != nil || !(f >= 0 && f <= 1) {
		return mustBe("a number from 0 to 1", written)
	}
	return nil
}

func positive(written string) error {
	if n, err := strconv.Atoi(written); err != nil || n < 1 {
		return mustBe("a whole number, at least 1", written)
	}
	return nil
}

// endpoint does not show what was written: a URL is where passwords are.
func endpoint(written string) error {
	if u, err := url.Parse(written); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return errors.New("must be an absolute http or https URL with a host")
	}
	return nil
}

// headerList does not show what was written: the headers are for credentials.
func headerList(written string) error {
	for pair := range strings.SplitSeq(written, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if _, err := url.PathUnescape(value); !ok || err != nil || strings.TrimSpace(name) == "" || strings.ContainsAny(strings.TrimSpace(name), " \t\"(),/:;<=>?@[\\]{}") {
			return errors.New("must be name=value, comma separated, with values in percent-encoding")
		}
	}
	return nil
}
