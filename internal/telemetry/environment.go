package telemetry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/floxrun/flox/internal/flags"
)

// OpenTelemetry's SDK ignores a variable that it does not understand. Here it is an
// error, so that nobody waits for spans that go elsewhere.

// checkEnvironment returns the protocol.
func checkEnvironment() (protocol string, err error) {
	name, protocol := otlp("PROTOCOL")
	switch protocol {
	case "":
		protocol = "http/protobuf"
	case "grpc", "http/protobuf", "http/json":
	default:
		return "", wrong(name, protocol, "grpc|http/protobuf|http/json")
	}
	return protocol, first(checkExporter(protocol), checkFiles(), checkSampler(), checkBatches())
}

// first is the first of errs: the user mends one after the other.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func wrong(name, value, want string) error { return flags.Usagef("%s=%q: want %s", name, value, want) }

// otlp reads a variable of the exporter; that for traces alone goes first.
func otlp(name string) (full, value string) {
	for _, full = range []string{"OTEL_EXPORTER_OTLP_TRACES_" + name, "OTEL_EXPORTER_OTLP_" + name} {
		if value = env(full); value != "" {
			break
		}
	}
	return full, value
}

// each checks a variable of the exporter, and that for traces alone, if they are set:
// the SDK reads both, and prints what it does not understand.
func each(name string, check func(full, value string) error) error {
	for _, full := range []string{"OTEL_EXPORTER_OTLP_" + name, "OTEL_EXPORTER_OTLP_TRACES_" + name} {
		if value := env(full); value != "" {
			if err := check(full, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkEndpoint(protocol, name, value string) error {
	u, err := url.Parse(value)
	ok := err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	if ok || err == nil && protocol == "grpc" && u.Scheme != "" {
		return nil
	}
	port := "4318"
	if protocol == "grpc" {
		port = "4317"
	}
	if err == nil {
		value = u.Redacted()
	} else if strings.Contains(value, "@") {
		value = "..." // with a password, it may be
	}
	return wrong(name, value, "a URL such as http://127.0.0.1:"+port)
}

func checkExporter(protocol string) error {
	const attributes = "OTEL_RESOURCE_ATTRIBUTES"
	return first(
		each("ENDPOINT", func(name, value string) error { return checkEndpoint(protocol, name, value) }),
		each("TIMEOUT", func(name, value string) error { return checkCount(name, value, "milliseconds") }),
		each("COMPRESSION", func(name, value string) error { return checkWord(name, value, "none", "gzip") }),
		each("INSECURE", func(name, value string) error { return checkWord(name, strings.ToLower(value), "true", "false") }),
		each("HEADERS", func(name, value string) error { return checkPairs(name, value, headerName) }),
		checkPairs(attributes, env(attributes), attributeName))
}

func checkWord(name, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return wrong(name, value, strings.Join(words, "|"))
}

var (
	headerName    = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	attributeName = regexp.MustCompile(`\S`)
)

// checkPairs does not repeat the text, which may be a secret.
func checkPairs(name, list string, key *regexp.Regexp) error {
	if list == "" {
		return nil
	}
	for i, pair := range strings.Split(list, ",") {
		k, value, ok := strings.Cut(pair, "=")
		if !ok || !key.MatchString(strings.TrimSpace(k)) {
			return flags.Usagef("%s: number %d is not key=value; want key=value, separated by commas", name, i+1)
		}
		if _, err := url.PathUnescape(value); err != nil {
			return flags.Usagef("%s: the value of number %d has a %% that begins no escape; want %%25 for a %%", name, i+1)
		}
	}
	return nil
}

// checkFiles reads the certificates.
func checkFiles() error {
	if name, file := otlp("CERTIFICATE"); file != "" {
		pem, err := os.ReadFile(file)
		if err == nil && !x509.NewCertPool().AppendCertsFromPEM(pem) {
			err = errors.New("no certificate in it")
		}
		if err != nil {
			return flags.Usagef("%s=%q: %v; want a file of PEM certificates", name, file, err)
		}
	}
	certName, cert := otlp("CLIENT_CERTIFICATE")
	keyName, key := otlp("CLIENT_KEY")
	if cert == "" && key == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return flags.Usagef("%s=%q, %s=%q: %v; want files of a certificate and its key", certName, cert, keyName, key, err)
	}
	return nil
}

func checkSampler() error {
	const name, arg = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	switch v := env(name); strings.ToLower(v) {
	case "", "always_on", "always_off", "parentbased_always_on", "parentbased_always_off":
		return nil
	case "traceidratio", "parentbased_traceidratio":
	default:
		return wrong(name, v, "[parentbased_]always_on|always_off|traceidratio")
	}
	v := env(arg)
	if ratio, err := strconv.ParseFloat(v, 64); v != "" && (err != nil || !(ratio >= 0 && ratio <= 1)) {
		return wrong(arg, v, "a number from 0 to 1, such as 0.05")
	}
	return nil
}

func checkBatches() error {
	for name, unit := range map[string]string{
		"SCHEDULE_DELAY": "milliseconds", "EXPORT_TIMEOUT": "milliseconds", "MAX_QUEUE_SIZE": "spans", "MAX_EXPORT_BATCH_SIZE": "spans",
	} {
		name = "OTEL_BSP_" + name
		if value := env(name); value != "" {
			if err := checkCount(name, value, unit); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkCount(name, value, unit string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 1 {
		return wrong(name, value, fmt.Sprintf("a whole number of %s, 1 or more", unit))
	}
	return nil
}
