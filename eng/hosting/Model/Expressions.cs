using System.Runtime.CompilerServices;
using System.Text;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>A value known only once the application runs, such as an address.</summary>
public interface IValueProvider
{
    ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default);
}

public interface IManifestExpressionProvider
{
    string ValueExpression { get; }
}

public interface IExpressionValue : IValueProvider, IManifestExpressionProvider;

/// <summary>A text with holes that are filled once the application runs.</summary>
public class ReferenceExpression : IExpressionValue
{
    private readonly Func<CancellationToken, ValueTask<string?>> _value;

    private ReferenceExpression(string expression, IReadOnlyList<IValueProvider> providers, Func<CancellationToken, ValueTask<string?>> value)
    {
        ValueExpression = expression;
        ValueProviders = providers;
        _value = value;
    }

    public string ValueExpression { get; }
    public IReadOnlyList<IValueProvider> ValueProviders { get; }

    public static ReferenceExpression Create(in ExpressionInterpolatedStringHandler handler) => handler.Build();

    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken) => _value(cancellationToken);

    internal static ReferenceExpression Lazy(string expression, Func<string> value) =>
        new(expression, [], _ => new ValueTask<string?>(value()));

    [InterpolatedStringHandler]
    public ref struct ExpressionInterpolatedStringHandler
    {
        private readonly List<object> _parts;

        public ExpressionInterpolatedStringHandler(int literalLength, int formattedCount) =>
            _parts = new List<object>(formattedCount * 2 + 1);

        public readonly void AppendLiteral(string value) => _parts.Add(value);

        public readonly void AppendFormatted(string? value) => _parts.Add(value ?? "");

        public void AppendFormatted<T>(T valueProvider) where T : IValueProvider, IManifestExpressionProvider =>
            _parts.Add(valueProvider);

        public void AppendFormatted<T>(IResourceBuilder<T> valueProvider)
            where T : IResource, IValueProvider, IManifestExpressionProvider => _parts.Add(valueProvider.Resource);

        internal readonly ReferenceExpression Build()
        {
            object[] parts = [.. _parts];
            var expression = string.Concat(parts.Select(p => p as string ?? ((IManifestExpressionProvider)p).ValueExpression));
            return new ReferenceExpression(expression, [.. parts.OfType<IValueProvider>()], async ct =>
            {
                var text = new StringBuilder();
                foreach (var part in parts)
                    text.Append(part as string ?? await ((IValueProvider)part).GetValueAsync(ct));
                return text.ToString();
            });
        }
    }
}
