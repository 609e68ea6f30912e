"""Functions of tensors, by PyTorch's names: ``tinynet.exp(x)``, also a method, ``x.exp()``.

Most call one operation of `tinynet.ops` or compose a few. A function whose first parameter is
`input` is a method of `Tensor` under the same name.
"""
