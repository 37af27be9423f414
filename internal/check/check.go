// Package check finds problems that would prevent a gateway from serving. It calls the upstream a
// few times, and Redis once, with the gateway's own code, and reports for each step what is wrong
// and what to do.
// Its messages contain no URL and no credential, and only the names of keys from the upstream's
// responses.
package check

import (
	"context"
	"slices"
	"time"

	"cvmgraph/internal/redis"
	"cvmgraph/restclient"
)

// Options are the settings to check.
type Options struct {
	// Upstream configures the gateway's client.
	Upstream restclient.Options
	// Token is sent as a bearer token and APIKey as X-API-Key, unless empty.
	Token, APIKey string
	// Warnings are the warnings about the settings, one line each.
	Warnings []string
	// TLSCert and TLSKey are the PEM files of the gateway's certificate. They are empty if the
	// gateway serves plain HTTP.
	TLSCert, TLSKey string
	// TrustedDocumentCount is the number of trusted documents. TrustedDocumentsMode is the mode
	// for other documents.
	TrustedDocumentCount int
	TrustedDocumentsMode string
	// Redis configures the store that replicas share. If nil, the step is skipped.
	Redis *redis.Options
	// Now is the clock. If nil, Run uses time.Now.
	Now func() time.Time
}

// Status is the result of a step.
type Status string

// The statuses of a [Step].
const (
	StatusOK      Status = "ok"
	StatusWarning Status = "warning" // the gateway works, but an operator should look at it
	StatusFailed  Status = "failed"  // the gateway would not work, or only in part
	StatusSkipped Status = "skipped" // there is nothing to check, or it cannot be checked
)

// The names of the steps, in their order.
const (
	StepSettings     = "settings"
	StepReachability = "reachability"
	StepTLS          = "tls"
	StepHTTP         = "http"
	StepCredential   = "credential"
	StepContract     = "contract"
	StepVersions     = "versions"
	StepCertificate  = "certificate"
	StepDocuments    = "trusted_documents"
	StepRedis        = "redis"
)

// Step is the result of one step.
type Step struct {
	// Name is one of the constants StepSettings to StepRedis.
	Name   string `json:"name"`
	Status Status `json:"status"`
	// Message explains the result to people, and what to do about it. Its wording may change.
	Message string `json:"message"`
	// Differences are the differences between the upstream's page and the configured API version.
	// More is the number of differences that are left out.
	Differences []restclient.Difference `json:"differences,omitempty"`
	More        int                     `json:"more,omitempty"`
	// Versions are the API versions that were tried, oldest first, and the token's default.
	Versions []Version `json:"versions,omitempty"`
}

// Report is the result of all steps.
type Report struct {
	// OK reports whether no step failed.
	OK bool `json:"ok"`
	// Steps contains all steps, in their order.
	Steps []Step `json:"steps"`
}

// Run runs all steps. It makes at most seven calls to the upstream, each within the client's
// timeout. It repeats a call only if the upstream limits calls for a short time, and waits a few
// seconds for Redis. If ctx ends, the remaining steps
// fail or are skipped. The error describes invalid client options.
func Run(ctx context.Context, options Options) (Report, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	if _, err := restclient.New(options.Upstream); err != nil {
		return Report{}, err
	}
	steps := []Step{checkSettings(options)}
	steps = append(steps, (&upstreamCheck{options}).run(ctx)...)
	steps = append(steps, checkCertificate(options), checkDocuments(options), checkRedis(ctx, options))
	failed := slices.ContainsFunc(steps, func(s Step) bool { return s.Status == StatusFailed })
	return Report{OK: !failed, Steps: steps}, nil
}

// newStep returns a step without differences.
func newStep(name string, status Status, message string) Step {
	return Step{Name: name, Status: status, Message: message}
}
