package check

import (
	"crypto/tls"
	"fmt"
	"strings"
	"time"
)

// checkSettings reports the warnings about valid settings.
func checkSettings(o Options) Step {
	if len(o.Warnings) > 0 {
		return newStep(StepSettings, StatusWarning, strings.Join(o.Warnings, "; "))
	}
	return newStep(StepSettings, StatusOK, "all settings are valid")
}

// renewBefore is the remaining validity below which a certificate should have been renewed.
const renewBefore = 7 * 24 * time.Hour

// checkCertificate checks the validity of the gateway's own certificate.
func checkCertificate(o Options) Step {
	if o.TLSCert == "" {
		return newStep(StepCertificate, StatusSkipped, "no --tls-cert: the gateway serves plain HTTP")
	}
	pair, err := tls.LoadX509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		return newStep(StepCertificate, StatusFailed, "cannot read --tls-cert and --tls-key, or they do not match")
	}
	switch now, leaf := o.Now(), pair.Leaf; {
	case now.After(leaf.NotAfter):
		return newStep(StepCertificate, StatusFailed, fmt.Sprintf("the certificate of --tls-cert expired on %s: renew it", day(leaf.NotAfter)))
	case now.Before(leaf.NotBefore):
		return newStep(StepCertificate, StatusFailed, fmt.Sprintf("the certificate of --tls-cert is not valid before %s: check this machine's clock", day(leaf.NotBefore)))
	case leaf.NotAfter.Sub(now) < renewBefore:
		return newStep(StepCertificate, StatusWarning, fmt.Sprintf("the certificate of --tls-cert is valid only until %s (%s): renew it", day(leaf.NotAfter), daysLeft(now, leaf.NotAfter)))
	default:
		return newStep(StepCertificate, StatusOK, fmt.Sprintf("the certificate of --tls-cert is valid until %s (%s)", day(leaf.NotAfter), daysLeft(now, leaf.NotAfter)))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// daysLeft describes the time left in whole days.
func daysLeft(now, until time.Time) string {
	switch days := int(until.Sub(now) / (24 * time.Hour)); days {
	case 0:
		return "less than a day left"
	case 1:
		return "1 day left"
	default:
		return fmt.Sprintf("%d days left", days)
	}
}

// checkDocuments reports the number of trusted documents, which were loaded with the settings.
func checkDocuments(o Options) Step {
	if o.TrustedDocumentCount == 0 {
		return newStep(StepDocuments, StatusSkipped, "no --trusted-documents")
	}
	return newStep(StepDocuments, StatusOK, fmt.Sprintf("%d documents loaded, --trusted-documents-mode is %s", o.TrustedDocumentCount, o.TrustedDocumentsMode))
}
