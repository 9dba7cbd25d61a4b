package dashboards

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// series is one of an answer: its labels and its values by time.
type series struct {
	labels map[string]string
	points []point
}

type point struct {
	at    float64 // seconds
	value float64
}

// get asks the server's HTTP API and reads the answer's data into out.
func (l *Live) get(ctx context.Context, path string, form url.Values, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(l.URL, "/")+path+"?"+form.Encode(), nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("GET %s: %s: %.200s", path, resp.Status, body)
	}
	if answer.Status != "success" {
		return fmt.Errorf("GET %s: %s: %s", path, resp.Status, answer.Error)
	}
	return json.Unmarshal(answer.Data, out)
}

// query asks an expression, of the end of the time range or over all of it.
func (l *Live) query(ctx context.Context, expr string, instant bool) ([]series, error) {
	path, form := "/api/v1/query_range", url.Values{"query": {expr}}
	if instant {
		path = "/api/v1/query"
		form.Set("time", stamp(l.End))
	} else {
		form.Set("start", stamp(l.Start))
		form.Set("end", stamp(l.End))
		form.Set("step", strconv.FormatFloat(l.step().Seconds(), 'f', -1, 64))
	}
	var data struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  *sample
			Values []sample
		}
	}
	if err := l.get(ctx, path, form, &data); err != nil {
		return nil, err
	}
	var out []series
	for _, r := range data.Result {
		s := series{labels: r.Metric}
		if r.Value != nil {
			r.Values = append(r.Values, *r.Value)
		}
		for _, v := range r.Values {
			s.points = append(s.points, point(v))
		}
		out = append(out, s)
	}
	return out, nil
}

// sample is a point as the API writes it: [seconds, "value"].
type sample point

func (s *sample) UnmarshalJSON(text []byte) error {
	var value string
	if err := json.Unmarshal(text, &[]any{&s.at, &value}); err != nil {
		return err
	}
	var err error
	s.value, err = strconv.ParseFloat(value, 64)
	return err
}

// values are those of a label of the series that a selector chooses.
func (l *Live) values(ctx context.Context, selector, label string) ([]string, error) {
	var out []string
	err := l.get(ctx, "/api/v1/label/"+label+"/values", l.over(selector), &out)
	return out, err
}

// count is how many series a selector chooses in the time range.
func (l *Live) count(ctx context.Context, selector string) (int, error) {
	var out []map[string]string
	err := l.get(ctx, "/api/v1/series", l.over(selector), &out)
	return len(out), err
}

func (l *Live) over(selector string) url.Values {
	return url.Values{"match[]": {selector}, "start": {stamp(l.Start)}, "end": {stamp(l.End)}}
}

func stamp(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }
