package config_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"cvmgraph/internal/config"
)

func TestParse_tracesExporter(t *testing.T) {
	t.Parallel()
	certificate, key := keyPair(t)
	for name, test := range map[string]struct {
		environ []string
		want    string
	}{
		"no variables":                  {want: config.TracesOff},
		"service name only":             {environ: []string{"OTEL_SERVICE_NAME=a"}, want: config.TracesOff},
		"endpoint":                      {environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}, want: config.TracesHTTP},
		"endpoint for traces":           {environ: []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://otel.example.org/v1/traces"}, want: config.TracesHTTP},
		"endpoint for metrics":          {environ: []string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://localhost:4318"}, want: config.TracesOff},
		"empty endpoint":                {environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT="}, want: config.TracesOff},
		"exporter only":                 {environ: []string{"OTEL_TRACES_EXPORTER=otlp"}, want: config.TracesHTTP},
		"gRPC":                          {environ: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, want: config.TracesGRPC},
		"gRPC for traces":               {environ: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=grpc"}, want: config.TracesGRPC},
		"gRPC for all but traces":       {environ: []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"}, want: config.TracesHTTP},
		"console":                       {environ: []string{"OTEL_TRACES_EXPORTER=console", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}, want: config.TracesConsole},
		"no exporter, with an endpoint": {environ: []string{"OTEL_TRACES_EXPORTER=none", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"}, want: config.TracesOff},
		"disabled":                      {environ: []string{"OTEL_SDK_DISABLED=TRUE", "OTEL_TRACES_EXPORTER=otlp"}, want: config.TracesOff},
		"not disabled":                  {environ: []string{"OTEL_SDK_DISABLED=false", "OTEL_TRACES_EXPORTER=otlp"}, want: config.TracesHTTP},
		"repeated variable":             {environ: []string{"OTEL_TRACES_EXPORTER=console", "OTEL_TRACES_EXPORTER=none"}, want: config.TracesConsole},
		"invalid settings while off":    {environ: []string{"OTEL_TRACES_EXPORTER=none", "OTEL_TRACES_SAMPLER=odd", "OTEL_EXPORTER_OTLP_HEADERS=odd"}, want: config.TracesOff},
		"certificates": {environ: []string{
			"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://localhost:4318", "OTEL_EXPORTER_OTLP_CERTIFICATE=" + certificate,
			"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=" + certificate, "OTEL_EXPORTER_OTLP_CLIENT_KEY=" + key,
		}, want: config.TracesHTTP},
		"all settings": {environ: []string{
			"OTEL_TRACES_EXPORTER=otlp", "OTEL_TRACES_SAMPLER=Parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=0.25", "OTEL_BSP_SCHEDULE_DELAY=100",
			"OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20x, x-team = a", "OTEL_EXPORTER_OTLP_TIMEOUT=2000", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
			"OTEL_EXPORTER_OTLP_PROTOCOL=http/json", "OTEL_RESOURCE_ATTRIBUTES=a=b%20c, d=", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=-1",
		}, want: config.TracesHTTP},
	} {
		if got := parse(t, nil, test.environ...).Traces; got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// invalidTraces has variables, the warnings that Parse returns for them, and the exporter.
type invalidTraces struct {
	environ, want []string
	traces        string
}

func invalidTracesSettings(secret string) map[string]invalidTraces {
	on := "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"
	return map[string]invalidTraces{
		"exporter": {
			environ: []string{"OTEL_TRACES_EXPORTER=zipkin"},
			want:    []string{`OTEL_TRACES_EXPORTER must be one of otlp, console, none, not "zipkin"`},
		},
		"exporter, with an endpoint": {
			environ: []string{on, "OTEL_TRACES_EXPORTER=zipkin"},
			want:    []string{`OTEL_TRACES_EXPORTER must be one of otlp, console, none, not "zipkin"`},
		},
		"several exporters": {
			environ: []string{"OTEL_TRACES_EXPORTER=zipkin, console,otlp"},
			want: []string{
				"OTEL_TRACES_EXPORTER has several exporters: console is used",
				`OTEL_TRACES_EXPORTER must be one of otlp, console, none, not "zipkin"`,
			},
			traces: config.TracesConsole,
		},
		"boolean": {environ: []string{"OTEL_SDK_DISABLED=yes"}, want: []string{`OTEL_SDK_DISABLED must be one of true, false, not "yes"`}},
		"sampler": {
			environ: []string{on, "OTEL_TRACES_SAMPLER=half"},
			want: []string{"OTEL_TRACES_SAMPLER must be one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, " +
				`parentbased_traceidratio, not "half"`},
			traces: config.TracesHTTP,
		},
		"sampler argument": {
			environ: []string{on, "OTEL_TRACES_SAMPLER=traceidratio", "OTEL_TRACES_SAMPLER_ARG=NaN"},
			want:    []string{`OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, not "NaN"`},
			traces:  config.TracesHTTP,
		},
		"numbers that are too large": {
			environ: []string{on, "OTEL_BSP_MAX_QUEUE_SIZE=1000000000000000000", "OTEL_BSP_SCHEDULE_DELAY=9223372036854775807", "OTEL_SPAN_EVENT_COUNT_LIMIT=9223372036854775807"},
			want: []string{
				`OTEL_BSP_MAX_QUEUE_SIZE must be a whole number from 1 to 1000000, not "1000000000000000000"`,
				`OTEL_BSP_SCHEDULE_DELAY must be a whole number of milliseconds from 1 to 86400000, not "9223372036854775807"`,
				`OTEL_SPAN_EVENT_COUNT_LIMIT must be a 32-bit integer, not "9223372036854775807"`,
			},
			traces: config.TracesHTTP,
		},
		"number with a space, which the library does not parse": {
			environ: []string{on, "OTEL_BSP_MAX_QUEUE_SIZE= 100"},
			want:    []string{`OTEL_BSP_MAX_QUEUE_SIZE must be a whole number from 1 to 1000000, not " 100"`},
			traces:  config.TracesHTTP,
		},
		"attributes, which are not shown": {
			environ: []string{on, "OTEL_RESOURCE_ATTRIBUTES=a=b," + secret},
			want:    []string{"OTEL_RESOURCE_ATTRIBUTES must be a comma-separated list of name=value, with percent-encoded values"},
			traces:  config.TracesHTTP,
		},
	}
}

// invalidTracesReceivers has wrong variables of the receiver, which turn traces off.
func invalidTracesReceivers(certificate, secret string) map[string]invalidTraces {
	const off = "traces are off, because the variables of their receiver are wrong"
	on := "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318"
	return map[string]invalidTraces{
		"endpoints, which are not shown": {
			environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=localhost:4318/" + secret, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=ftp://" + secret},
			want: []string{
				"OTEL_EXPORTER_OTLP_ENDPOINT must be an absolute http or https URL with a host and without a user",
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must be an absolute http or https URL with a host and without a user",
				off,
			},
		},
		"headers, which are not shown": {
			environ: []string{on, "OTEL_EXPORTER_OTLP_HEADERS=authorization: Bearer " + secret, "OTEL_EXPORTER_OTLP_TRACES_HEADERS=a=%zz" + secret},
			want: []string{
				"OTEL_EXPORTER_OTLP_HEADERS must be a comma-separated list of name=value, with percent-encoded values",
				"OTEL_EXPORTER_OTLP_TRACES_HEADERS must be a comma-separated list of name=value, with percent-encoded values",
				off,
			},
		},
		"endpoint with a password": {
			environ: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:" + secret + "@localhost:4318"},
			want:    []string{"OTEL_EXPORTER_OTLP_ENDPOINT must be an absolute http or https URL with a host and without a user", off},
		},
		"missing files": {
			environ: []string{
				"OTEL_EXPORTER_OTLP_ENDPOINT=https://localhost:4318", "OTEL_EXPORTER_OTLP_CERTIFICATE=" + secret,
				"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE=" + secret,
			},
			want: []string{
				"OTEL_EXPORTER_OTLP_CERTIFICATE must be a PEM file with certificates",
				"OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE must be a PEM file of a certificate that matches the key in OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
				off,
			},
		},
		"certificate without TLS": {
			environ: []string{on, "OTEL_EXPORTER_OTLP_CERTIFICATE=" + certificate},
			want:    []string{"OTEL_EXPORTER_OTLP_ENDPOINT must be an https URL if a certificate is set", off},
		},
		"protocol": {
			environ: []string{on, "OTEL_EXPORTER_OTLP_PROTOCOL=http", "OTEL_EXPORTER_OTLP_TIMEOUT=10s", "OTEL_BSP_MAX_QUEUE_SIZE=0"},
			want: []string{
				`OTEL_BSP_MAX_QUEUE_SIZE must be a whole number from 1 to 1000000, not "0"`,
				`OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, http/json, grpc, not "http"`,
				`OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number of milliseconds from 1 to 86400000, not "10s"`,
				off,
			},
		},
	}
}

func TestParse_invalidTracesSettings(t *testing.T) {
	t.Parallel()
	const secret = "s3cret"
	certificate, _ := keyPair(t)
	tests := invalidTracesSettings(secret)
	maps.Copy(tests, invalidTracesReceivers(certificate, secret))
	for name, test := range tests {
		cfg, err := config.Parse(nil, test.environ, t.Output())
		if err != nil {
			t.Errorf("%s: got %v, want warnings", name, err)
			continue
		}
		if !slices.Equal(cfg.Warnings, test.want) || cfg.Traces != test.traces {
			t.Errorf("%s: got the warnings %q and traces %q, want %q and %q", name, cfg.Warnings, cfg.Traces, test.want, test.traces)
		}
		if strings.Contains(strings.Join(cfg.Warnings, ""), secret) {
			t.Errorf("%s: got %q, which show a secret", name, cfg.Warnings)
		}
	}
	if cfg, err := config.Parse([]string{"schema"}, []string{"OTEL_TRACES_EXPORTER=zipkin"}, t.Output()); err != nil || cfg.Traces != "" || cfg.Warnings != nil {
		t.Errorf("a command that traces nothing: got %v and %+v", err, cfg)
	}
}
