package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"cvmgraph/restclient"
)

// TokenDefault is the [Version] of a call without a version.
const TokenDefault = "default"

// Version is the result of a call with one API version.
type Version struct {
	// Version is the requested version. It is TokenDefault if none was requested, so that the
	// upstream uses the default of the credential's token.
	Version string        `json:"version"`
	Result  VersionResult `json:"result"`
	// Shape is the shape of the page's items, hosted or flat. It is empty without items.
	Shape restclient.Shape `json:"shape,omitempty"`
	// Status is the HTTP status. It is 0 without a response, or if its body is not valid JSON.
	Status int `json:"status,omitempty"`
	// Total is the number of CVMs in the list. It is nil if the page is not valid.
	Total *int `json:"total,omitempty"`
	// Missing, Changed and Unknown are the numbers of differences from the version's contract.
	Missing int `json:"missing,omitempty"`
	Changed int `json:"changed,omitempty"`
	Unknown int `json:"unknown,omitempty"`
	// Message explains the result to people. Its wording may change.
	Message string `json:"message"`
}

// VersionResult is the result of trying an API version.
type VersionResult string

// The results of a [Version].
const (
	VersionWorks      VersionResult = "works"
	VersionDiffers    VersionResult = "differs"     // the gateway serves the page, but keys are missing or have another type
	VersionOtherShape VersionResult = "other_shape" // the items have the shape of another version
	VersionRefused    VersionResult = "refused"     // the upstream returns an error that may be about the version
	VersionFailed     VersionResult = "failed"      // there is no valid page for another reason
	VersionNotTried   VersionResult = "not_tried"
)

// served reports whether the gateway can serve the page of the version.
func (v Version) served() bool { return v.Result == VersionWorks || v.Result == VersionDiffers }

// maxPause is the longest pause that the check makes when the upstream limits its calls.
const maxPause = 10 * time.Second

// tryVersions tries the known API versions one after the other, and the default of the credential's
// token. The first response is that of the configured version. It returns nil if that response
// shows that the version is not the problem, and that there is no page to compare others with.
func (u *upstreamCheck) tryVersions(ctx context.Context, first *response) *versionTries {
	if first.err != nil && !mayRefuseVersion(first.err) {
		return nil
	}
	tries := &versionTries{check: u, tried: []Version{u.try(u.version(), first)}}
	known := restclient.KnownVersions()
	for _, version := range append(known, TokenDefault) {
		if version != u.version() {
			tries.add(ctx, version)
		}
	}
	first.otherVersionWorks = first.err != nil && slices.ContainsFunc(tries.tried, Version.served)
	// The order is that of the versions. An unknown version stays the first one.
	slices.SortStableFunc(tries.tried, func(a, b Version) int {
		place := func(v Version) int {
			if v.Version == TokenDefault {
				return len(known)
			}
			return slices.Index(known, v.Version)
		}
		return place(a) - place(b)
	})
	return tries
}

// mayRefuseVersion reports whether the request's API version can be the reason of an error. For a
// withdrawn version, the upstream, or what stands in front of it, can use a status that says that
// there is nothing, without an error of the API.
func mayRefuseVersion(err error) bool {
	status, ok := errors.AsType[*restclient.StatusError](err)
	if !ok {
		return false
	}
	switch status.StatusCode {
	case http.StatusNotFound, http.StatusNotAcceptable, http.StatusGone:
		return true
	}
	return status.MayRefuseVersion()
}

// versions reports the versions that were tried. If tries is nil, there are none. Before is the
// step that failed before, or "".
func (u *upstreamCheck) versions(first *response, tries *versionTries, before string) Step {
	switch {
	case tries != nil:
		step := Step{Name: StepVersions, Versions: tries.tried}
		step.Status, step.Message = tries.recommend(u.version())
		return step
	case first.status() == http.StatusUnauthorized && before == "":
		return newStep(StepVersions, StatusSkipped, "needs a credential: set CVMGRAPH_TOKEN or CVMGRAPH_API_KEY")
	}
	return newStep(StepVersions, StatusSkipped, "not checked, because "+before+" failed")
}

// versionTries are the versions that were tried so far.
type versionTries struct {
	check  *upstreamCheck
	tried  []Version
	paused bool
	stop   string // why no further version is tried, or ""
}

// add tries a version.
func (t *versionTries) add(ctx context.Context, version string) {
	if t.stop != "" {
		t.tried = append(t.tried, Version{Version: version, Result: VersionNotTried, Message: "not tried: " + t.stop})
		return
	}
	r := t.call(ctx, version)
	defer r.page.Release()
	switch {
	case errors.Is(r.err, context.Canceled):
		t.stop = interrupted
		t.add(ctx, version)
		return
	case r.status() == http.StatusTooManyRequests:
		t.stop = "the upstream allows no more calls now (status 429)"
		if status, ok := errors.AsType[*restclient.StatusError](r.err); ok && status.RetryAfter > 0 {
			t.stop += "; try again in " + status.RetryAfter.String()
		}
		t.add(ctx, version)
		return
	case r.status() == 0 && !isInvalid(r.err):
		t.stop = "there was no response to the call before" // which can have taken the whole timeout
	}
	t.tried = append(t.tried, t.check.try(version, r))
}

// call makes a call with a version. If the upstream limits calls for a short time, it waits and
// tries again, once in all.
func (t *versionTries) call(ctx context.Context, version string) *response {
	u := *t.check
	u.Upstream.APIVersion, u.Upstream.OmitAPIVersion = version, version == TokenDefault
	headers := headersOf(u.Token, u.APIKey)
	r := u.call(ctx, headers)
	status, ok := errors.AsType[*restclient.StatusError](r.err)
	if t.paused || !ok || status.StatusCode != http.StatusTooManyRequests || status.RetryAfter <= 0 || status.RetryAfter > maxPause {
		return r
	}
	t.paused = true
	timer := time.NewTimer(status.RetryAfter)
	defer timer.Stop()
	select {
	case <-timer.C:
		return u.call(ctx, headers)
	case <-ctx.Done():
		return &response{err: context.Canceled, trace: r.trace}
	}
}

// try evaluates the response to a call with a version.
func (u *upstreamCheck) try(version string, r *response) Version {
	v := Version{Version: version, Status: r.status()}
	if r.err != nil {
		v.Result, v.Message = failureOf(r)
		return v
	}
	compared, expected := r.compared, restclient.ShapeOf(version)
	if compared.OtherShape {
		v.Shape = otherShape(expected)
		if version != TokenDefault {
			v.Result = VersionOtherShape
			v.Message = fmt.Sprintf("has the %s shape, but should have the %s shape: the upstream, or a proxy in front of it, ignores X-Phala-Version", v.Shape, expected)
			return v
		}
		expected = v.Shape
		compared, _ = expected.Compare(r.page.Body, restclient.NewCredential(headersOf(u.Token, u.APIKey))) // is JSON, as the first comparison shows
	}
	if compared.Items > 0 {
		v.Shape = expected
	}
	v.Missing, v.Changed, v.Unknown = compared.Missing, compared.Changed, compared.Unknown
	page, err := expected.DecodePage(r.page.Body, firstPage())
	if err != nil {
		v.Result, v.Message = VersionFailed, "the gateway rejects the page: "+reasonOf(err)
		return v
	}
	v.Total, v.Result, v.Message = &page.Total, VersionWorks, "works: "
	if v.Missing+v.Changed > 0 {
		v.Result = VersionDiffers
		v.Message = fmt.Sprintf("differs (keys missing: %d, of another type: %d): ", v.Missing, v.Changed)
	}
	v.Message += fmt.Sprintf("%d CVMs, %s", page.Total, describeShape(v.Shape))
	return v
}

func otherShape(s restclient.Shape) restclient.Shape {
	if s == restclient.ShapeFlat {
		return restclient.ShapeHosted
	}
	return restclient.ShapeFlat
}

// describeShape returns what a shape has, and what it lacks.
func describeShape(s restclient.Shape) string {
	switch s {
	case restclient.ShapeHosted:
		return "hosted shape, without times, prices, hashes and workspaces"
	case restclient.ShapeFlat:
		return "flat shape, without uptime, boot progress, events, ports and compose files"
	}
	return "so that the shape is unknown"
}

// failureOf returns the result of a call without a page.
func failureOf(r *response) (VersionResult, string) {
	if status, ok := errors.AsType[*restclient.StatusError](r.err); ok {
		if mayRefuseVersion(status) {
			return VersionRefused, fmt.Sprintf("refused (status %d)", status.StatusCode)
		}
		return VersionFailed, fmt.Sprintf("fails (status %d)", status.StatusCode)
	}
	if isInvalid(r.err) {
		return VersionFailed, "fails: the response is not JSON, truncated or too large"
	}
	return VersionFailed, "fails: there is no response"
}

func isInvalid(err error) bool {
	_, ok := errors.AsType[*restclient.InvalidResponseError](err)
	return ok
}

// recommend returns the status and the message of the step: the version to use.
func (t *versionTries) recommend(configured string) (Status, string) {
	status, message := t.best(configured)
	if t.stop != "" {
		status, message = StatusWarning, message+"; not all versions were tried: "+t.stop
	}
	return status, message
}

// best compares the versions that were tried.
func (t *versionTries) best(configured string) (Status, string) {
	var working []string
	knownServed, defaultServed := false, false
	for _, v := range t.tried {
		switch {
		case v.Version == TokenDefault:
			defaultServed = v.served()
		case v.Result == VersionWorks:
			working = append(working, v.Version)
		}
		knownServed = knownServed || v.Version != TokenDefault && v.served()
	}
	if len(working) == 0 {
		switch {
		case t.stop != "":
			return StatusWarning, "no API version works so far"
		case defaultServed && !knownServed:
			return StatusWarning, "no known API version works, but a call without a version does: the upstream has a version that this cvmgraph does not know; " +
				"update cvmgraph, or set --api-version to the date of that version, which the API's documentation has"
		}
		return StatusWarning, "no known API version works without differences, so the version is probably not the cause"
	}
	others := slices.DeleteFunc(slices.Clone(working), func(v string) bool { return v == configured })
	status, message := StatusOK, "keep --api-version "+configured+": it works"
	switch {
	case !slices.Contains(working, configured):
		best := working[len(working)-1] // the others last longer
		if slices.Contains(working, restclient.DefaultAPIVersion) {
			best = restclient.DefaultAPIVersion // it has most fields
		}
		status, message = StatusWarning, "set --api-version to "+best
		others = slices.DeleteFunc(others, func(v string) bool { return v == best })
		if len(others) > 0 {
			message += "; " + strings.Join(others, ", ") + " would work, too"
		}
	case len(others) > 0:
		message += ", and so would " + strings.Join(others, ", ")
	default:
		message += ", and no other version"
	}
	return status, message + " (docs/versions.md compares them)"
}
