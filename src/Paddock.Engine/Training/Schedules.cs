namespace Paddock.Engine.Training;

/// <summary>
/// Learning rates of step i = 0 .. steps, as pure functions in double: warm-up i/w, then a shape of q = (i - w) / (steps - w). Formulas and
/// defaults are those of Hugging Face transformers' schedulers, so that a rate in a recipe means what it means there.
/// </summary>
public static class Schedules
{
    /// <summary>Names that <see cref="Rate"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "constant", "constant_with_warmup", "linear", "cosine", "cosine_with_min_lr", "cosine_with_restarts", "polynomial", "inverse_sqrt", "warmup_stable_decay",
    ];

    /// <summary>Rate of a schedule by its name, with the numbers of <paramref name="options"/> that it uses.</summary>
    /// <exception cref="BadInputException">The name is unknown.</exception>
    public static double Rate(string name, double rate, int step, int warmup, int steps, ScheduleOptions options) => name switch
    {
        "constant" => rate,
        "constant_with_warmup" => Constant(rate, step, warmup),
        "linear" => Linear(rate, step, warmup, steps),
        "cosine" => Cosine(rate, step, warmup, steps),
        "cosine_with_min_lr" => CosineWithMinimum(rate, step, warmup, steps, options.MinimumRatio),
        "cosine_with_restarts" => CosineWithRestarts(rate, step, warmup, steps, options.Cycles),
        "polynomial" => Polynomial(rate, step, warmup, steps, options.Power, options.End),
        "inverse_sqrt" => InverseSquareRoot(rate, step, warmup, options.TimeScale),
        "warmup_stable_decay" => WarmupStableDecay(rate, step, warmup, steps, options.DecaySteps, options.LinearDecay, options.MinimumRatio),
        _ => throw new BadInputException($"schedule '{name}' is not known; known are {string.Join(", ", Names)}"),
    };

    /// <summary>Rate after a linear warm-up.</summary>
    public static double Constant(double rate, int step, int warmup) => step < warmup ? rate * Warm(step, warmup) : rate;

    /// <summary>Falls to zero in a line.</summary>
    public static double Linear(double rate, int step, int warmup, int steps) =>
        rate * (step < warmup ? Warm(step, warmup) : 1 - Progress(step, warmup, steps));

    /// <summary>Falls to zero in half a cosine.</summary>
    public static double Cosine(double rate, int step, int warmup, int steps) => CosineWithMinimum(rate, step, warmup, steps, 0);

    /// <summary>Falls to <paramref name="minimumRatio"/> of the rate in half a cosine.</summary>
    public static double CosineWithMinimum(double rate, int step, int warmup, int steps, double minimumRatio) =>
        rate * (step < warmup ? Warm(step, warmup) : HalfCosine(Progress(step, warmup, steps)) * (1 - minimumRatio) + minimumRatio);

    /// <summary>Several half cosines, each from the full rate; zero at the end.</summary>
    public static double CosineWithRestarts(double rate, int step, int warmup, int steps, int cycles)
    {
        if (step < warmup)
            return rate * Warm(step, warmup);
        double q = Progress(step, warmup, steps);
        return q >= 1 ? 0 : rate * HalfCosine(cycles * q % 1);
    }

    /// <summary>Falls from the rate to <paramref name="end"/>, both absolute, as a power of what is left.</summary>
    public static double Polynomial(double rate, int step, int warmup, int steps, double power, double end) =>
        step < warmup ? rate * Warm(step, warmup) : (rate - end) * Math.Pow(1 - Progress(step, warmup, steps), power) + end;

    /// <summary>Falls as one over the square root of the step. <paramref name="timeScale"/> 0 takes the warm-up's length, or 10,000 without one.</summary>
    public static double InverseSquareRoot(double rate, int step, int warmup, double timeScale)
    {
        if (step < warmup)
            return rate * Warm(step, warmup);
        double scale = timeScale > 0 ? timeScale : warmup > 0 ? warmup : 10000;
        return rate / Math.Sqrt((step + scale - warmup) / scale);
    }

    /// <summary>Full rate until <paramref name="decaySteps"/> before the end, then half a cosine or a line to the minimum; warms up from the minimum.</summary>
    public static double WarmupStableDecay(double rate, int step, int warmup, int steps, int decaySteps, bool linear, double minimumRatio)
    {
        double factor = 1;
        if (step < warmup)
            factor = Warm(step, warmup);
        else if (step >= steps - decaySteps)
        {
            double d = decaySteps == 0 ? 1 : Math.Min(1, (double)(step - (steps - decaySteps)) / decaySteps);
            factor = linear ? 1 - d : HalfCosine(d);
        }
        return rate * (factor * (1 - minimumRatio) + minimumRatio);
    }

    private static double Warm(int step, int warmup) => (double)step / Math.Max(1, warmup);

    private static double Progress(int step, int warmup, int steps) => Math.Min(1, (double)(step - warmup) / Math.Max(1, steps - warmup));

    private static double HalfCosine(double q) => (1 + Math.Cos(Math.PI * q)) / 2;
}

/// <summary>Numbers that some schedules use; the defaults are Hugging Face's.</summary>
/// <param name="MinimumRatio">Lowest rate as a part of the full one: cosine_with_min_lr, warmup_stable_decay.</param>
/// <param name="Cycles">Of cosine_with_restarts.</param>
/// <param name="Power">Of polynomial.</param>
/// <param name="End">Last rate of polynomial, absolute.</param>
/// <param name="TimeScale">Of inverse_sqrt, in steps; 0 = the warm-up's length.</param>
/// <param name="DecaySteps">Of warmup_stable_decay.</param>
/// <param name="LinearDecay">Of warmup_stable_decay: a line in place of half a cosine.</param>
public sealed record ScheduleOptions(double MinimumRatio = 0, int Cycles = 1, double Power = 1, double End = 1e-7, double TimeScale = 0, int DecaySteps = 0, bool LinearDecay = false);
