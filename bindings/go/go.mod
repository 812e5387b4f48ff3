module github.com/keystonedb/kstone/bindings/go

go 1.24
