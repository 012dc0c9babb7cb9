// Reads documents as Go's encoding/json does, one JSON string with the document in base64 on each line of stdin, and
// writes what it understood, one line of JSON for each. With the argument "fold" it prints instead how characters fold:
// one line for each set of characters that are equal, as code points.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"unicode"
)

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	OSVersion    string `json:"os.version"`
	Variant      string `json:"variant"`
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	URLs         []string          `json:"urls"`
	Annotations  map[string]string `json:"annotations"`
	Data         []byte            `json:"data"`
	Platform     *platform         `json:"platform"`
	ArtifactType string            `json:"artifactType"`
}

type document struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType"`
	Config       *descriptor       `json:"config"`
	Layers       []descriptor      `json:"layers"`
	Manifests    []descriptor      `json:"manifests"`
	Subject      *descriptor       `json:"subject"`
	Annotations  map[string]string `json:"annotations"`
}

type result struct {
	Accepted bool
	Document document
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	if len(os.Args) > 1 && os.Args[1] == "fold" {
		for r := rune(0); r <= unicode.MaxRune; r++ {
			next := unicode.SimpleFold(r)
			if next > r {
				fmt.Fprintf(out, "%d %d\n", r, next)
			}
		}
		return
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		bytes, err := base64.StdEncoding.DecodeString(in.Text())
		if err != nil {
			panic(err)
		}
		var r result
		r.Accepted = json.Unmarshal(bytes, &r.Document) == nil
		line, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(out, string(line))
	}
}
