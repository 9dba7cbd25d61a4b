package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Chat asks a language model by HTTP.
type Chat struct{ URL, Model, Key string }

type (
	message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	question struct {
		Model    string    `json:"model"`
		Messages []message `json:"messages"`
	}
	completion struct {
		Choices []struct {
			Message message `json:"message"`
		} `json:"choices"`
		Usage struct {
			Total int `json:"total_tokens"`
		} `json:"usage"`
	}
)

const maxAnswer = 1 << 20 // bytes

// Ask returns the model's answer and what it cost. The error says whether it is
// worth another attempt: flox.Permanent is not, flox.RetryAfter is at the time
// that the server named, and any other is by the node's policy.
func (c *Chat) Ask(ctx context.Context, role, text string) (answer string, tokens int, err error) {
	body, err := json.Marshal(question{c.Model, []message{{"system", role}, {"user", text}}})
	if err != nil {
		return "", 0, flox.Permanent(err)
	}
	url := strings.TrimSuffix(strings.TrimSuffix(c.URL, "/"), "/v1") + "/v1/chat/completions"
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", 0, flox.Permanent(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Key != "" {
		req.Header.Set("Authorization", "Bearer "+c.Key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", 0, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, refusal(resp, b)
	}
	var done completion
	if err := json.Unmarshal(b, &done); err != nil {
		return "", 0, fmt.Errorf("the answer is not what was agreed: %w", err)
	}
	if len(done.Choices) == 0 || done.Choices[0].Message.Content == "" {
		return "", 0, errors.New("the answer is empty")
	}
	return done.Choices[0].Message.Content, done.Usage.Total, nil
}

// refusal is the error of an answer that is none.
func refusal(resp *http.Response, body []byte) error {
	err := fmt.Errorf("the model's server says %s: %.200s", resp.Status, bytes.TrimSpace(body))
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode >= 500:
		if seconds, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && seconds >= 0 {
			return flox.RetryAfter(time.Duration(seconds)*time.Second, err)
		}
		return err
	}
	return flox.Permanent(err) // a wrong key or model stays wrong
}
